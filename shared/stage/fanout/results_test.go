package fanout_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

// counted is what fan-out counts of campaigns.
type counted struct {
	mu     sync.Mutex
	of     map[string]map[string]int64 // by campaign
	people map[string]map[string]bool  // by count of any campaign
}

func (c *counted) Count(_, campaign, _, subject, name string, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of[campaign] == nil {
		c.of[campaign] = map[string]int64{}
	}
	if c.of[campaign][name] += n; c.of[campaign][name] == 0 {
		delete(c.of[campaign], name)
	}
	if c.people[name] == nil {
		c.people[name] = map[string]bool{}
	}
	if subject != "" {
		c.people[name][subject] = true
	}
}

// counts has the stand count.
func (s *stand) counts() *counted {
	c := &counted{of: map[string]map[string]int64{}, people: map[string]map[string]bool{}}
	s.stage.Results = c
	return c
}

// wantCounts compares what was counted of the campaign spring.
func (s *stand) wantCounts(c *counted, when string, want map[string]int64) {
	s.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if got := c.of["spring"]; !maps.Equal(got, want) {
		s.t.Errorf("%s: counted %v, want %v", when, got, want)
	}
}

// half names a subject that a campaign with a holdout of 50 % holds out, and one that
// it does not.
func half(campaign string) (held, free string) {
	common := &trigger.Common{Campaign: campaign, Holdout: trigger.Everybody / 2}
	for i := 0; held == "" || free == ""; i++ {
		if subject := fmt.Sprint("user-", i); common.HeldOut(subject) {
			held = subject
		} else {
			free = subject
		}
	}
	return held, free
}

// way is what becomes of events of a campaign.
type way struct {
	campaign string
	sub      webhook.Subscription
	subjects string // of the events, one after the other
	data     string
	then     func(s *stand)
	want     map[string]int64
}

func ways() map[string]way {
	held, free := half("spring")
	triggered := func(spec string) webhook.Subscription { return webhook.Subscription{Trigger: json.RawMessage(spec)} }
	hour := func(s *stand) { s.advance(time.Hour) }
	const live = `{"state":"live"}`
	return map[string]way{
		"it is sent":                        {live, webhook.Subscription{}, "a b", "", nil, map[string]int64{"matched": 2, "sent": 2}},
		"its trigger sends it":              {live, triggered(`{"at":2}`), "a a a", "", nil, map[string]int64{"matched": 3, "sent": 1, "skipped_not_due": 2}},
		"it is sent once":                   {live, triggered(`{"once":true}`), "a a b", "", nil, map[string]int64{"matched": 3, "sent": 2, "skipped_once": 1}},
		"it has no key":                     {live, triggered(`{"key":"data.k","at":1}`), "a", "", nil, map[string]int64{"matched": 1, "skipped_no_key": 1}},
		"the campaign is a draft":           {`{}`, webhook.Subscription{}, "a", "", nil, map[string]int64{"matched": 1, "skipped_not_started": 1}},
		"the campaign is over":              {`{"state":"stopped"}`, webhook.Subscription{}, "a", "", nil, map[string]int64{"matched": 1, "skipped_ended": 1}},
		"it is not for them":                {`{"state":"live","audience":{"profile":{"plan":["gold"]}}}`, webhook.Subscription{}, "a b", "", nil, map[string]int64{"matched": 2, "skipped_audience": 2}},
		"their profile is another":          {live, webhook.Subscription{Filter: json.RawMessage(`{"profile":{"plan":["gold"]}}`)}, "a", "", nil, map[string]int64{"matched": 1, "skipped_profile": 1}},
		"the cap is used up":                {`{"state":"live","cap":{"max":2,"per":"1d"}}`, webhook.Subscription{}, "a a a b", "", nil, map[string]int64{"matched": 4, "sent": 3, "skipped_cap": 1}},
		"one is held out":                   {`{"state":"live","holdout":50}`, webhook.Subscription{}, held + " " + free, "", nil, map[string]int64{"matched": 2, "held_out": 1, "sent": 1}},
		"nothing can be rendered":           {live, webhook.Subscription{Request: &webhook.RequestSpec{Require: []string{"data.v"}}}, "a", "", nil, map[string]int64{"matched": 1, "skipped_missing_field": 1}},
		"the trigger's cannot be rendered":  {live, webhook.Subscription{Trigger: json.RawMessage(`{"at":1}`), Request: &webhook.RequestSpec{Require: []string{"data.v"}}}, "a", "", nil, map[string]int64{"matched": 1, "skipped_missing_field": 1}},
		"it cannot be matched in time":      {live, webhook.Subscription{Filter: costlyFilter}, "a", costlyData, nil, map[string]int64{"matched": 1, "skipped_filter_too_costly": 1}},
		"it falls into quiet hours":         {`{"state":"live","quiet":{"from":"11:00","to":"13:00","then":"skip"}}`, webhook.Subscription{}, "a", "", nil, map[string]int64{"matched": 1, "skipped_quiet": 1}},
		"it waits for quiet hours":          {`{"state":"live","quiet":{"from":"11:00","to":"14:00"}}`, webhook.Subscription{}, "a b", "", hour, map[string]int64{"matched": 2, "waiting": 2}},
		"quiet hours are over":              {`{"state":"live","quiet":{"from":"11:00","to":"13:00"}}`, webhook.Subscription{}, "a b", "", hour, map[string]int64{"matched": 2, "sent": 2}},
		"a delay runs":                      {live, triggered(`{"delay":"2h"}`), "a b", "", hour, map[string]int64{"matched": 2, "waiting": 2}},
		"a delay is over":                   {live, triggered(`{"delay":"1h"}`), "a b", "", hour, map[string]int64{"matched": 2, "sent": 2}},
		"a delay begins again":              {live, triggered(`{"delay":"1h"}`), "a a a", "", nil, map[string]int64{"matched": 3, "waiting": 1, "skipped_not_due": 2}},
		"a delay that began again is over":  {live, triggered(`{"delay":"1h"}`), "a a a", "", hour, map[string]int64{"matched": 3, "sent": 1, "skipped_not_due": 2}},
		"a delay leads into quiet hours":    {`{"state":"live","quiet":{"from":"12:30","to":"14:00"}}`, triggered(`{"delay":"1h"}`), "a", "", hour, map[string]int64{"matched": 1, "waiting": 1}},
		"the campaign ends before a delay":  {live, triggered(`{"delay":"1h"}`), "a", "", func(s *stand) { s.campaign("spring", `{"state":"stopped"}`); s.advance(time.Hour) }, map[string]int64{"matched": 1, "skipped_ended": 1}},
		"a delay ends for one who is held":  {`{"state":"live","holdout":50}`, triggered(`{"delay":"1h"}`), held + " " + free, "", hour, map[string]int64{"matched": 2, "held_out": 1, "sent": 1}},
		"a delay is canceled":               {live, triggered(`{"delay":"1h","cancel":[{"types":["end"]}]}`), "a b", "", func(s *stand) { e := s.event("end", "a", s.now(), `{}`); s.publish(e, e); s.advance(time.Hour) }, map[string]int64{"matched": 2, "sent": 1, "skipped_canceled_by_event": 1}},
		"its event goes during a delay":     {live, triggered(`{"delay":"1h"}`), "a b", "", func(s *stand) { s.expungeAll(); s.advance(time.Hour) }, map[string]int64{"matched": 2, "skipped_expired": 2}},
		"its event goes in quiet hours":     {`{"state":"live","quiet":{"from":"11:00","to":"13:00"}}`, webhook.Subscription{}, "a b", "", func(s *stand) { s.expungeAll(); s.advance(time.Hour) }, map[string]int64{"matched": 2, "skipped_expired": 2}},
		"both wait, and the campaign stops": {`{"state":"live","quiet":{"from":"11:00","to":"13:00"}}`, webhook.Subscription{}, "a b", "", func(s *stand) { s.campaign("spring", `{"state":"stopped"}`); s.advance(time.Hour) }, map[string]int64{"matched": 2, "skipped_ended": 2}},
	}
}

// expungeAll removes the payloads of all events.
func (s *stand) expungeAll() {
	s.t.Helper()
	events, _, err := s.store.PageEvents(s.t.Context(), "acme", webhook.EventFilter{}, webhook.Page{Limit: 250})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range events {
		if err := s.store.ExpungeEvent(s.t.Context(), "acme", e.Source, e.ID); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestEveryEventOfACampaignIsCountedOnceWhicheverWayItGoes(t *testing.T) {
	for name, w := range ways() {
		s := newStand(t)
		c := s.counts()
		s.campaign("spring", w.campaign)
		w.sub.ID, w.sub.Campaign, w.sub.Types = "s", "spring", []string{"x"}
		s.subscribe(w.sub)
		s.subscribe(part("other", "", "x")) // of no campaign
		var all []webhook.Event
		for subject := range strings.FieldsSeq(w.subjects) {
			e := s.event("x", subject, s.now(), cmp.Or(w.data, `{}`))
			s.publish(e, e)
			all = append(all, e)
		}
		if w.then != nil {
			before := append([]queued(nil), s.queue...)
			w.then(s)
			for _, q := range before { // each wake-up comes again
				s.handle(q.body)
			}
		}
		s.publish(all...)
		s.wantCounts(c, name, w.want)
		sum := int64(0)
		for count, n := range c.of["spring"] {
			if count != webhook.ResultMatched {
				sum += n
			}
		}
		if matched := c.of["spring"][webhook.ResultMatched]; sum != matched {
			t.Errorf("%s: %d matched, %d were sent, skipped, held out or wait", name, matched, sum)
		}
		people := map[string]bool{}
		for _, subject := range strings.Fields(w.subjects) {
			people[subject] = true
		}
		if !maps.Equal(c.people[webhook.ResultMatched], people) {
			t.Errorf("%s: matched the people %v, want %v", name, c.people[webhook.ResultMatched], people)
		}
	}
}

func TestALargePlanIsCountedOnceThoughItsMessagesComeAgain(t *testing.T) {
	for _, inArray := range []bool{false, true} {
		s := newStand(t)
		c := s.counts()
		s.campaign("spring", `{"state":"live","cap":{"max":1000,"per":"1d"}}`)
		n := int64(webhook.PlanInline + 50)
		for i := range n {
			sub := part(fmt.Sprint("s", i), "spring", "x")
			if i%2 == 0 {
				sub.Trigger = json.RawMessage(`{"key":"data.k","at":1}`) // the event has none
			}
			s.subscribe(sub)
		}
		p := message.Pack{Events: []webhook.Event{s.event("x", "a", s.now(), `{}`)}}
		if inArray {
			p.Events = append(p.Events, s.event("y", "a", s.now(), `{}`))
		}
		for range 2 {
			s.handle(p.Encode())
			s.settle()
		}
		s.wantCounts(c, fmt.Sprint("in an array: ", inArray), map[string]int64{"matched": n, "sent": n / 2, "skipped_no_key": n / 2})
	}
}

func TestAReplayCountsNothing(t *testing.T) {
	s := newStand(t)
	c := s.counts()
	s.campaign("spring", `{"state":"live","cap":{"max":5,"per":"1d"},"goal":{"types":["x"],"within":"7d"}}`)
	s.subscribe(part("s", "spring", "x"))
	e := s.event("x", "a", s.now(), `{}`)
	s.publish(e)
	s.handle(message.Replay{Tenant: "acme", Source: e.Source, Event: e.ID, ID: "rpl_1", At: s.now()}.Encode())
	s.settle()
	if len(s.sent) != 2 {
		t.Fatalf("%d deliveries, want that of the event and that of its replay", len(s.sent))
	}
	s.wantCounts(c, "after a replay", map[string]int64{"matched": 1, "sent": 1})
}

func TestAnEventOfATenantWithoutCampaignsAsksNoMoreOfTheStore(t *testing.T) {
	for name, tt := range map[string]struct {
		prepare func(s *stand)
		want    map[string]int
	}{
		"no campaigns":               {func(*stand) {}, map[string]int{"CreateEvent": 1}},
		"campaigns for other events": {func(s *stand) { s.campaign("spring", buying); s.subscribe(part("s", "spring", "other")) }, map[string]int{"CreateEvent": 1}},
		"a campaign without rules":   {func(s *stand) { s.campaign("spring", `{"state":"live"}`); s.subscribe(part("s", "spring", "x")) }, map[string]int{"CreateEvent": 1}},
		"a campaign with a cap and a goal": {func(s *stand) {
			s.campaign("spring", `{"state":"live","cap":{"max":9,"per":"1d"},"goal":{"types":["buy"],"within":"7d"}}`)
			s.subscribe(part("s", "spring", "x"))
		}, map[string]int{"CreateEvent": 1, "TriggerState": 1, "SaveTriggerState": 1}},
		"a campaign whose goal it is": {func(s *stand) { s.campaign("spring", `{"state":"live","goal":{"types":["x"],"within":"7d"}}`) }, map[string]int{"CreateEvent": 1, "TriggerState": 1}},
	} {
		s := newStand(t)
		s.subscribe(part("other", "", "x"))
		tt.prepare(s)
		s.publish(s.event("x", "a", s.now(), `{}`)) // reads subscriptions and definitions
		var mu sync.Mutex
		calls, inner := map[string]int{}, s.store.Store
		s.store.Store = storetest.Faulty(inner, func(method string) error {
			mu.Lock()
			defer mu.Unlock()
			if calls[method]++; method == "TenantState" {
				delete(calls, method) // once a batch
			}
			return nil
		}, nil)
		s.publish(s.event("x", "b", s.now(), `{}`))
		if !maps.Equal(calls, tt.want) {
			t.Errorf("%s: an event asks the store for %v, want %v", name, calls, tt.want)
		}
	}
}
