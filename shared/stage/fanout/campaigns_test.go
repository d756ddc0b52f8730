package fanout_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// campaign stores a campaign.
func (s *stand) campaign(id, spec string) {
	s.t.Helper()
	c := webhook.Campaign{Tenant: "acme", ID: id, Life: "life", Spec: json.RawMessage(spec), Revision: 1}
	known, _, err := s.store.Campaigns(s.t.Context(), "acme", 100)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, other := range known {
		if other.ID == id {
			c.Revision = other.Revision + 1
		}
	}
	s.define(s.store.SaveCampaign(s.t.Context(), c))
}

// cap stores a cap of several campaigns.
func (s *stand) cap(name, spec string) {
	s.t.Helper()
	s.define(s.store.SaveCap(s.t.Context(), webhook.Cap{Tenant: "acme", Name: name, Life: "life", Spec: json.RawMessage(spec), Revision: 1}))
}

// part is a subscription of a campaign, for events of a type.
func part(id, campaign string, types ...string) webhook.Subscription {
	return webhook.Subscription{ID: id, Campaign: campaign, Types: types}
}

// skipped is why the subscription did not get the event, as it is stored.
func (s *stand) why(e webhook.Event, subscription string) webhook.Reason {
	s.t.Helper()
	stored, err := s.store.Event(s.t.Context(), "acme", e.Source, e.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, entry := range stored.Plan.Entries {
		if entry.Subscription == subscription {
			return entry.Why
		}
	}
	return "not in the plan"
}

func TestACampaignSendsWhileItRuns(t *testing.T) {
	for name, tt := range map[string]struct {
		spec string
		why  webhook.Reason
	}{
		"live":              {`{"state":"live"}`, ""},
		"of nothing":        {`{}`, webhook.ReasonNotStarted},
		"draft":             {`{"state":"draft"}`, webhook.ReasonNotStarted},
		"stopped":           {`{"state":"stopped"}`, webhook.ReasonEnded},
		"from now":          {`{"state":"live","starts_at":"2026-03-01T12:00:00Z"}`, ""},
		"from a second on":  {`{"state":"live","starts_at":"2026-03-01T12:00:01Z"}`, webhook.ReasonNotStarted},
		"until a second on": {`{"state":"live","ends_at":"2026-03-01T12:00:01Z"}`, ""},
		"until now":         {`{"state":"live","ends_at":"2026-03-01T12:00:00Z"}`, webhook.ReasonEnded},
	} {
		s := newStand(t)
		s.campaign("spring", tt.spec)
		s.subscribe(part("s", "spring"))
		s.subscribe(part("other", ""))
		e := s.event("x", "u1", s.now(), `{}`)
		s.publish(e)
		if got, want := len(s.sent), 2; tt.why == "" && got != want || tt.why != "" && got != 1 {
			t.Errorf("a campaign that is %s: %d deliveries", name, got)
		}
		if got := s.why(e, "s"); got != tt.why {
			t.Errorf("a campaign that is %s: the event is kept from it for the reason %q, want %q", name, got, tt.why)
		}
	}
}

func TestACampaignThatEndsDropsWhatWaits(t *testing.T) {
	s := newStand(t)
	s.campaign("spring", `{"state":"live"}`)
	nudge := part("nudge", "spring")
	nudge.Trigger = json.RawMessage(`{"delay":"1h"}`)
	s.subscribe(nudge)
	s.publish(s.event("x", "u1", s.now(), `{}`))
	s.campaign("spring", `{"state":"stopped"}`)
	s.advance(time.Hour)
	s.want("an hour later")
	s.wantCanceled(webhook.ReasonEnded)
}

// wantCanceled compares the reasons of the deliveries that are stored as canceled.
func (s *stand) wantCanceled(reasons ...webhook.Reason) {
	s.t.Helper()
	page, _, err := s.store.PageDeliveries(s.t.Context(), "acme", webhook.DeliveryFilter{}, webhook.Page{Limit: 100})
	var got []webhook.Reason
	for _, d := range page {
		got = append(got, d.Reason)
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(reasons) {
		s.t.Errorf("canceled for %v (%v), want %v", got, err, reasons)
	}
}

func TestAnAudienceIsAskedWhenAnEventComesAndWhenItsDelayIsOver(t *testing.T) {
	s := newStand(t)
	s.segment("vip", `{"profile":{"plan":["gold"]}}`)
	for subject, plan := range map[string]string{"u1": "gold", "u2": "tin", "u3": "gold"} {
		s.write(subject, `{"plan":"`+plan+`"}`)
	}
	s.campaign("spring", `{"state":"live","audience":{"segment":["vip"]}}`)
	s.subscribe(part("now", "spring", "a"))
	later := part("later", "spring", "b")
	later.Trigger = json.RawMessage(`{"delay":"1h"}`)
	s.subscribe(later)
	first, second := s.event("a", "u1", s.now(), `{}`), s.event("a", "u2", s.now(), `{}`)
	s.publish(first, second)
	s.want("at once", first)
	if got := s.why(second, "now"); got != webhook.ReasonAudience {
		t.Errorf("kept from the event for the reason %q, want audience", got)
	}
	stays, leaves := s.event("b", "u1", s.now(), `{}`), s.event("b", "u3", s.now(), `{}`)
	s.publish(stays, leaves)
	s.write("u3", `{"plan":"tin"}`)
	s.advance(time.Hour)
	s.want("an hour later", stays)
	s.wantCanceled(webhook.ReasonAudience)
}

func TestTheCapOfACampaignCountsOverItsSubscriptions(t *testing.T) {
	s := newStand(t)
	s.campaign("spring", `{"state":"live","cap":{"max":2,"per":"1d"}}`)
	for _, id := range []string{"a", "b", "c"} {
		s.subscribe(part(id, "spring", id))
	}
	a, b, c, other := s.event("a", "u1", s.now(), `{}`), s.event("b", "u1", s.now(), `{}`), s.event("c", "u1", s.now(), `{}`), s.event("c", "u2", s.now(), `{}`)
	s.publish(a, b, c, other, b)
	s.want("two of a user", a, b, other)
	s.advance(24*time.Hour - time.Second)
	late := s.event("c", "u1", s.now(), `{}`)
	s.publish(late)
	s.want("a second too early")
	s.advance(time.Second)
	next := s.event("c", "u1", s.now(), `{}`)
	s.publish(next)
	s.want("a day later", next)
}

func TestACapCountsOverAllCampaignsWithItsTag(t *testing.T) {
	s := newStand(t)
	s.cap("promo", `{"tags":["promo","news"],"max":1,"per":"7d"}`)
	s.campaign("spring", `{"state":"live","tags":["promo"]}`)
	s.campaign("autumn", `{"state":"live","tags":["news"]}`)
	s.campaign("bills", `{"state":"live","tags":["legal"]}`)
	for _, id := range []string{"spring", "autumn", "bills"} {
		s.subscribe(part(id, id, id))
	}
	spring, autumn, bill := s.event("spring", "u1", s.now(), `{}`), s.event("autumn", "u1", s.now(), `{}`), s.event("bills", "u1", s.now(), `{}`)
	s.publish(spring, autumn, bill)
	s.want("one promotion", spring, bill)
}

func TestASharedCapIsClaimedTogetherWithOnce(t *testing.T) {
	s := newStand(t)
	s.campaign("spring", `{"state":"live","cap":{"max":1,"per":"1d","key":"data.site"}}`)
	once := part("once", "spring")
	once.Trigger = json.RawMessage(`{"once":true}`)
	s.subscribe(once)
	first, second := s.event("x", "u1", s.now(), `{"site":"s"}`), s.event("x", "u2", s.now(), `{"site":"s"}`)
	s.publish(first, second)
	s.want("one for the site", first)
	s.advance(24 * time.Hour)
	again, new := s.event("x", "u1", s.now(), `{"site":"s"}`), s.event("x", "u2", s.now(), `{"site":"s"}`)
	s.publish(again, new)
	s.want("u2 has not used its once up", new)
}

func TestAShareOfPeopleIsHeldOutAndUsesItsClaimUp(t *testing.T) {
	s := newStand(t)
	s.campaign("spring", `{"state":"live","holdout":20,"cap":{"max":1,"per":"1d"}}`)
	s.subscribe(part("a", "spring"))
	const people = 1000
	held := map[string]bool{}
	for i := range people {
		subject := fmt.Sprint("user-", i)
		held[subject] = true
		s.publish(s.event("x", subject, s.now(), `{}`))
	}
	for _, f := range s.sent {
		e, err := s.store.Event(t.Context(), "acme", f.Source, f.Event)
		if err != nil {
			t.Fatal(err)
		}
		delete(held, e.Subject)
	}
	if len(held) < 150 || len(held) > 250 {
		t.Errorf("%d of %d people are held out, want about 200", len(held), people)
	}
	s.sent = nil
	s.campaign("spring", `{"state":"live","cap":{"max":1,"per":"1d"}}`)
	for subject := range held {
		s.publish(s.event("x", subject, s.now(), `{}`))
	}
	if len(s.sent) > 0 {
		t.Errorf("%d of those held out got something the same day, want none: they have used their cap up", len(s.sent))
	}
}

func TestQuietHoursPutOffOrSkip(t *testing.T) {
	s := newStand(t) // at 12:00 UTC
	s.write("tokyo", `{"tz":"Asia/Tokyo"}`)
	s.campaign("waits", `{"state":"live","quiet":{"from":"21:00","to":"09:00","zone":"profile.tz","default_zone":"Europe/Rome"}}`)
	s.campaign("skips", `{"state":"live","quiet":{"from":"21:00","to":"09:00","zone":"profile.tz","default_zone":"Europe/Rome","then":"skip"}}`)
	s.subscribe(part("waits", "waits", "waits"))
	s.subscribe(part("skips", "skips", "skips"))
	own := part("own", "waits", "own") // quiet hours of its own
	own.Quiet = json.RawMessage(`{"from":"11:00","to":"13:00"}`)
	s.subscribe(own)
	alone := part("alone", "", "alone")
	alone.Quiet = json.RawMessage(`{"from":"11:00","to":"12:30","then":"wait"}`)
	s.subscribe(alone)
	rome, tokyo := s.event("waits", "rome", s.now(), `{}`), s.event("waits", "tokyo", s.now(), `{}`)
	again := s.event("waits", "tokyo", s.now(), `{}`)
	skipped, kept := s.event("skips", "tokyo", s.now(), `{}`), s.event("skips", "rome", s.now(), `{}`)
	noon, nobody := s.event("own", "tokyo", s.now(), `{}`), s.event("alone", "", s.now(), `{}`)
	s.publish(rome, tokyo, again, skipped, kept, noon, nobody, tokyo, nobody)
	s.want("it is 13:00 in Rome, and 21:00 in Tokyo", rome, kept)
	s.advance(30*time.Minute - time.Second)
	s.want("not yet")
	s.advance(time.Second)
	s.want("12:30", nobody)
	s.advance(30 * time.Minute)
	s.want("13:00", noon)
	s.advance(11*time.Hour - time.Second)
	s.want("8:59:59 in Tokyo")
	s.advance(time.Second)
	s.want("9:00 in Tokyo", tokyo, again)
	s.advance(48 * time.Hour)
	s.want("two days later")
}

func TestWhatWaitsForQuietHoursIsJudgedAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(s *stand)
		reason []webhook.Reason
	}{
		"nothing happens":               {func(*stand) {}, nil},
		"the profile changes":           {func(s *stand) { s.write("u1", `{"consent":false}`) }, []webhook.Reason{webhook.ReasonProfile}},
		"the campaign stops":            {func(s *stand) { s.campaign("spring", `{"state":"stopped"}`) }, []webhook.Reason{webhook.ReasonEnded}},
		"the campaign has other people": {func(s *stand) { s.campaign("spring", `{"state":"live","audience":{"profile":{"plan":["gold"]}}}`) }, []webhook.Reason{webhook.ReasonAudience}},
		"the campaign has no quiet":     {func(s *stand) { s.campaign("spring", `{"state":"live"}`) }, nil},
	} {
		s := newStand(t)
		s.write("u1", `{"consent":true}`)
		s.campaign("spring", `{"state":"live","quiet":{"from":"10:00","to":"14:00"}}`)
		sub := filtered("s", `{"profile":{"consent":[true]}}`)
		sub.Campaign = "spring"
		s.subscribe(sub)
		e := s.event("x", "u1", s.now(), `{}`)
		s.publish(e)
		s.want("in quiet hours")
		tt.change(s)
		s.advance(2 * time.Hour)
		if sent := len(s.sent); (sent == 1) != (tt.reason == nil) {
			t.Errorf("%s: %d deliveries", name, sent)
		}
		s.wantCanceled(tt.reason...)
	}
}

func TestACancelEndsWhatWaitsForQuietHoursAfterItsDelay(t *testing.T) {
	s := newStand(t)
	s.campaign("spring", `{"state":"live","quiet":{"from":"12:30","to":"14:00"}}`)
	cart := part("cart", "spring", "cart")
	cart.Trigger = json.RawMessage(`{"delay":"1h","cancel":[{"types":["order"]}]}`)
	s.subscribe(cart)
	stays := s.event("cart", "u1", s.now(), `{}`)
	s.publish(stays, s.event("cart", "u2", s.now(), `{}`))
	s.advance(90 * time.Minute)
	s.want("in quiet hours")
	s.publish(s.event("order", "u2", s.now(), `{}`))
	s.advance(time.Hour)
	s.want("afterwards", stays)
}

func TestOncePerIsClaimedWhenQuietHoursAreOver(t *testing.T) {
	s := newStand(t)
	s.campaign("spring", `{"state":"live","quiet":{"from":"10:00","to":"14:00"}}`)
	sub := part("s", "spring")
	sub.Trigger = json.RawMessage(`{"once_per":"1d"}`)
	s.subscribe(sub)
	s.publish(s.event("x", "u1", s.now(), `{}`), s.event("x", "u1", s.now(), `{}`), s.event("x", "u1", s.now(), `{}`))
	s.advance(2 * time.Hour)
	if len(s.sent) != 1 {
		t.Errorf("%d deliveries, want one a day", len(s.sent))
	}
}
