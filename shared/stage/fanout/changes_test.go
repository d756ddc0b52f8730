package fanout_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/webhook"
)

// body makes a request with one text in its body.
func body(text string) *webhook.RequestSpec {
	return &webhook.RequestSpec{Body: json.RawMessage(`{"v":"` + text + `"}`)}
}

// change saves a subscription's next version.
func (s *stand) change(sub webhook.Subscription, change func(*webhook.Subscription)) webhook.Subscription {
	s.t.Helper()
	next := sub
	change(&next)
	next.TriggerEpoch = trigger.Epoch(sub, next)
	return s.subscribe(next)
}

func TestADelayEndsAsWhatItsSubscriptionIsThen(t *testing.T) {
	filtered := func(sub *webhook.Subscription) {
		sub.Filter = json.RawMessage(`{"data":{"n":[{"numeric":[">",9]}]}}`)
	}
	for name, tt := range map[string]struct {
		began  string // trigger
		change func(*webhook.Subscription)
		sent   string         // body's text
		why    webhook.Reason // if nothing was
	}{
		"nothing changed":      {`{"delay":"1d"}`, nil, "old", ""},
		"another body":         {`{"delay":"1d"}`, func(*webhook.Subscription) {}, "new", ""},
		"a narrowed filter":    {`{"delay":"1d"}`, filtered, "", webhook.ReasonFilter},
		"a filter that it has": {`{"delay":"1d"}`, func(sub *webhook.Subscription) { sub.Filter = json.RawMessage(`{"data":{"n":[5]}}`) }, "new", ""},
		"other types":          {`{"delay":"1d"}`, func(sub *webhook.Subscription) { sub.Types = []string{"b"} }, "", webhook.ReasonType},
		"an age":               {`{"delay":"1d"}`, func(sub *webhook.Subscription) { sub.MaxAge = "1h" }, "", webhook.ReasonStale},
		"paused":               {`{"delay":"1d"}`, func(sub *webhook.Subscription) { sub.State = webhook.Paused }, "new", ""},
		"another delay":        {`{"delay":"1d"}`, func(sub *webhook.Subscription) { sub.Trigger = json.RawMessage(`{"delay":"3d"}`) }, "new", ""},
		"no delay":             {`{"delay":"1d"}`, func(sub *webhook.Subscription) { sub.Trigger = json.RawMessage(`{}`) }, "new", ""},
		"once, and no delay":   {`{"delay":"1d"}`, func(sub *webhook.Subscription) { sub.Trigger = json.RawMessage(`{"once":true}`) }, "new", ""},
		"a key that it lacks": {`{"delay":"1d"}`, func(sub *webhook.Subscription) {
			sub.Trigger = json.RawMessage(`{"delay":"1d","cap":{"max":1,"per":"1h","key":"data.org"}}`)
		}, "", webhook.ReasonNoKey},
		"no trigger": {`{"delay":"1d"}`, func(sub *webhook.Subscription) { sub.Trigger = nil }, "", webhook.ReasonNotDue},
		"kept":       {`{"delay":"1d","on_change":"keep"}`, filtered, "old", ""},
		"kept from now on": {`{"delay":"1d"}`, func(sub *webhook.Subscription) {
			filtered(sub)
			sub.Trigger = json.RawMessage(`{"delay":"1d","on_change":"keep"}`)
		}, "old", ""},
		"kept no more": {`{"delay":"1d","on_change":"keep"}`, func(sub *webhook.Subscription) { sub.Trigger = json.RawMessage(`{"delay":"1d","on_change":"apply"}`) }, "new", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			sub := s.subscribe(webhook.Subscription{ID: "s", Types: []string{"a"}, Trigger: json.RawMessage(tt.began), Request: body("old")})
			e := s.event("a", "u1", epoch, `{"n":5}`)
			s.publish(e)
			s.advance(time.Hour)
			if tt.change != nil {
				s.change(sub, func(next *webhook.Subscription) {
					next.Request = body("new")
					tt.change(next)
				})
			}
			s.advance(23*time.Hour - time.Second)
			if len(s.sent) > 0 {
				t.Fatalf("sent %d a second before the delay was over, want none", len(s.sent))
			}
			s.advance(time.Second)
			if tt.why != "" {
				s.want("when the delay was over")
				s.wantOutcome(sub, e, tt.why)
				return
			}
			if len(s.sent) != 1 || !strings.Contains(string(s.sent[0].Body), tt.sent) {
				t.Fatalf("sent %d: %+v, want one that says %s", len(s.sent), s.sent, tt.sent)
			}
			if want := map[string]int64{"old": sub.Version}[tt.sent]; want != 0 && s.sent[0].Version != want {
				t.Errorf("sent as version %d, want %d", s.sent[0].Version, want)
			}
			s.want("when the delay was over", e)
		})
	}
}

func TestWhatAChangeEndsClaimsNothing(t *testing.T) {
	s := newStand(t)
	sub := s.subscribe(webhook.Subscription{ID: "s", Trigger: json.RawMessage(`{"delay":"1h","once":true}`)})
	s.publish(s.event("a", "u1", epoch, `{"n":5}`))
	s.change(sub, func(next *webhook.Subscription) { next.Filter = json.RawMessage(`{"data":{"n":[6]}}`) })
	s.advance(2 * time.Hour)
	s.want("what the filter does not take any more")
	other := s.event("a", "u1", s.now(), `{"n":6}`)
	s.publish(other)
	s.advance(time.Hour)
	s.want("the next, for which once is free", other)
}

func TestWhatADelayLedToStaysAsItWasDecided(t *testing.T) {
	s := newStand(t)
	sub := s.subscribe(webhook.Subscription{ID: "s", Trigger: json.RawMessage(`{"delay":"1d"}`), Request: body("old")})
	e := s.event("a", "u1", epoch, `{}`)
	s.publish(e)
	wakes := slices.Clone(s.queue)
	sub = s.change(sub, func(next *webhook.Subscription) { next.Request = body("decided") })
	s.advance(24 * time.Hour)
	s.change(sub, func(next *webhook.Subscription) {
		next.Request, next.Types = body("newest"), []string{"b"}
	})
	for _, wake := range wakes { // whoever fired it may have died before it was sent
		s.handle(wake.body)
	}
	if len(s.sent) != 2 {
		t.Fatalf("sent %d times, want twice", len(s.sent))
	}
	for _, f := range s.sent {
		if f.Version != sub.Version || !strings.Contains(string(f.Body), "decided") {
			t.Errorf("sent as version %d: %s, want version %d, which was decided", f.Version, f.Body, sub.Version)
		}
	}
}
