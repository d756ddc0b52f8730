package fanout_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/stage/fanout"
	"github.com/postino/postino/shared/webhook"
)

// asked is when the replays of these tests are asked for.
var asked = epoch.Add(42 * time.Minute)

// replay has an event sent again and returns the first attempts that it leads
// to, by subscription.
func (s *stand) replay(e webhook.Event, id, only string) map[string]message.FirstAttempt {
	s.t.Helper()
	s.sent = nil
	s.handle(message.Replay{ID: id, At: asked, Tenant: e.Tenant, Source: e.Source, Event: e.ID, Subscription: only}.Encode())
	s.settle()
	sent := map[string]message.FirstAttempt{}
	for _, f := range s.sent {
		if _, twice := sent[f.Subscription]; twice {
			s.t.Errorf("replay %s goes to %s twice", id, f.Subscription)
		}
		if want := webhook.DeliveryID(e.Tenant, e.Key(), asked, f.Subscription, id); f.ID != want || !f.Created.Equal(asked) || f.Occasion != id || f.Event != e.ID {
			s.t.Errorf("delivery %s of event %s, occasion %q, want %s of %s, %q", f.ID, f.Event, f.Occasion, want, e.ID, id)
		}
		sent[f.Subscription] = f
	}
	s.sent = nil
	return sent
}

func names(sent map[string]message.FirstAttempt) []string {
	ids := []string{}
	for id := range sent {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func wantNames(t *testing.T, when string, sent map[string]message.FirstAttempt, want ...string) {
	t.Helper()
	if got := names(sent); !slices.Equal(got, want) {
		t.Errorf("%s: sent to %q, want %q", when, got, want)
	}
}

func TestAReplaySendsWhatMatchesNow(t *testing.T) {
	s := newStand(t)
	s.subscribe(webhook.Subscription{ID: "stays"})
	gone := s.subscribe(webhook.Subscription{ID: "gone"})
	turned := s.subscribe(webhook.Subscription{ID: "turned"})
	e := s.event("a", "u1", epoch, `{"n":1}`)
	s.publish(e)
	if err := s.store.DeleteSubscription(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "gone"}, gone.Version); err != nil {
		t.Fatal(err)
	}
	turned.Types = []string{"b"}
	s.subscribe(turned)
	s.subscribe(webhook.Subscription{ID: "new", Filter: json.RawMessage(`{"data":{"n":[1]}}`)})
	s.subscribe(webhook.Subscription{ID: "other", Filter: json.RawMessage(`{"data":{"n":[2]}}`)})

	wantNames(t, "replay", s.replay(e, "rpl_1", ""), "new", "stays")
	wantNames(t, "another", s.replay(e, "rpl_2", ""), "new", "stays")
	wantNames(t, "to one", s.replay(e, "rpl_3", "stays"), "stays")
	wantNames(t, "to one that does not match", s.replay(e, "rpl_4", "turned"))
	wantNames(t, "to one that is not there", s.replay(e, "rpl_5", "gone"))
	unknown := e
	unknown.ID = "nothing"
	wantNames(t, "of an event that is not there", s.replay(unknown, "rpl_6", ""))
}

func TestARepeatOfAReplayCarriesOutWhatWasDecided(t *testing.T) {
	s := newStand(t)
	changing := s.subscribe(webhook.Subscription{ID: "changing", Request: &webhook.RequestSpec{Body: json.RawMessage(`{"v":1}`)}})
	leaving := s.subscribe(webhook.Subscription{ID: "leaving"})
	e := s.event("a", "u1", epoch, `{}`)
	s.publish(e)
	first := s.replay(e, "rpl_1", "")
	changing.Request = &webhook.RequestSpec{Body: json.RawMessage(`{"v":2}`)}
	s.subscribe(changing)
	leaving.Types = []string{"b"}
	s.subscribe(leaving)
	s.subscribe(webhook.Subscription{ID: "coming"})
	if diff := cmp.Diff(first, s.replay(e, "rpl_1", "")); diff != "" || len(first) != 2 {
		t.Errorf("%d deliveries; the repeat differs (-first +repeat):\n%s", len(first), diff)
	}
	wantNames(t, "another replay", s.replay(e, "rpl_2", ""), "changing", "coming")
}

// One replay may be asked for again, by its Idempotency-Key.
func TestARepeatOfAReplayIsAsOldAsTheFirst(t *testing.T) {
	s := newStand(t)
	s.subscribe(webhook.Subscription{ID: "a"})
	e := s.event("a", "u1", epoch, `{}`)
	s.publish(e)
	first := s.replay(e, "rpl_1", "")
	s.handle(message.Replay{ID: "rpl_1", At: asked.Add(time.Hour), Tenant: e.Tenant, Source: e.Source, Event: e.ID}.Encode())
	if len(s.sent) != 1 || s.sent[0].ID != first["a"].ID || !s.sent[0].Created.Equal(asked) {
		t.Errorf("an hour later it sends %+v, want what was sent first, %+v", s.sent, first["a"])
	}
}

func TestARacingReplayDoesWhatTheWinnerDecided(t *testing.T) {
	s := newStand(t)
	s.subscribe(webhook.Subscription{ID: "a"})
	e := s.event("a", "u1", epoch, `{}`)
	s.publish(e)
	// Another process has decided by the time that this one wants to store.
	won := webhook.Replay{Tenant: "acme", EventKey: e.Key(), ID: "rpl_1", At: asked, Plan: webhook.Plan{Total: 0}}
	if _, created, err := s.store.CreateReplay(t.Context(), won); err != nil || !created {
		t.Fatal(created, err)
	}
	wantNames(t, "the loser", s.replay(e, "rpl_1", ""))
}

// states lists all that a trigger has stored of a key.
func (s *stand) states(sub webhook.Subscription, key string) []webhook.StateItem {
	s.t.Helper()
	spec := s.spec(sub)
	ref, err := spec.KeyRef(sub, key)
	if err != nil {
		s.t.Fatal(err)
	}
	items, err := s.store.ListTriggerState(s.t.Context(), ref, 100)
	if err != nil || len(items) == 0 {
		s.t.Fatalf("state of %s: %v, %v", sub.ID, items, err)
	}
	return items
}

func TestAReplaySendsOnlyWhatTheEventFiredAndTouchesNoState(t *testing.T) {
	s := newStand(t)
	subs := map[string]webhook.Subscription{}
	for id, trig := range map[string]string{
		"every": `{"every":2,"distinct":"data.n"}`, "once": `{"once":true}`, "per": `{"once_per":"1h"}`,
		"capped": `{"cap":{"max":1,"per":"1d"}}`, "delayed": `{"delay":"1h","cancel":[{"types":["cancel"]}]}`,
	} {
		subs[id] = s.subscribe(webhook.Subscription{
			ID: id, Types: []string{"a"}, Trigger: json.RawMessage(trig),
			Request: &webhook.RequestSpec{Body: json.RawMessage(`{"n":"{{ occasion.count }}"}`)},
		})
	}
	first, second := s.event("a", "u1", epoch, `{"n":1}`), s.event("a", "u1", epoch, `{"n":2}`)
	cancel := s.event("cancel", "u1", epoch, `{}`)
	s.publish(first, second)
	before := map[string][]webhook.StateItem{}
	for id, sub := range subs {
		before[id] = s.states(sub, "u1")
	}
	wantNames(t, "the first", s.replay(first, "rpl_1", ""), "capped", "once", "per")
	again := s.replay(second, "rpl_1", "")
	wantNames(t, "the second", again, "every")
	if f := again["every"]; f.Count != 2 || f.Body != `{"n":2}` {
		t.Errorf("count %d, body %s, want those of the second occurrence", f.Count, f.Body)
	}
	for id, sub := range subs {
		if diff := cmp.Diff(before[id], s.states(sub, "u1")); diff != "" {
			t.Errorf("replays changed the state of %s:\n%s", id, diff)
		}
	}
	s.advance(time.Hour)
	wantNames(t, "what its delay has sent", s.replay(second, "rpl_2", "delayed"), "delayed")
	s.publish(cancel)
	wantNames(t, "what only cancels", s.replay(cancel, "rpl_3", ""))
}

func TestAReplayReachesNoTriggerThatTheEventNeverFired(t *testing.T) {
	s := newStand(t)
	e := s.event("a", "u1", epoch, `{}`)
	s.publish(e)
	s.subscribe(webhook.Subscription{ID: "once", Trigger: json.RawMessage(`{"once":true}`)})
	s.subscribe(webhook.Subscription{ID: "keyless", Trigger: json.RawMessage(`{"key":"data.user","once":true}`)})
	s.subscribe(webhook.Subscription{ID: "young", MaxAge: "1h"})
	wantNames(t, "within its age", s.replay(e, "rpl_1", ""), "young")
	s.advance(time.Hour + 1)
	wantNames(t, "beyond its age", s.replay(e, "rpl_2", ""))
}

func TestAReplayThatCannotBeRenderedIsACanceledDelivery(t *testing.T) {
	s := newStand(t)
	s.subscribe(webhook.Subscription{ID: "s", Request: &webhook.RequestSpec{Require: []string{"data.line_id"}}})
	e := s.event("a", "u1", epoch, `{}`)
	s.publish(e)
	wantNames(t, "replay", s.replay(e, "rpl_1", ""))
	d, err := s.store.Delivery(t.Context(), "acme", webhook.DeliveryID("acme", e.Key(), asked, "s", "rpl_1"))
	if err != nil || d.Status != webhook.Canceled || d.Reason != webhook.ReasonMissingField || d.Occasion != "rpl_1" || !d.CreatedAt.Equal(asked) {
		t.Errorf("delivery = %+v, %v, want it canceled", d, err)
	}
}

func TestAReplayToThousandsIsSplitIntoLeaves(t *testing.T) {
	s := newStand(t)
	const n = webhook.PlanPage + 50
	for i := range n {
		s.subscribe(webhook.Subscription{ID: fmt.Sprint("s", i)})
	}
	s.subscribe(webhook.Subscription{ID: "counting", Trigger: json.RawMessage(`{"at":2}`)})
	e := s.event("a", "u1", epoch, `{}`)
	s.publish(e)
	first := s.replay(e, "rpl_1", "")
	if len(first) != n {
		t.Fatalf("%d deliveries, want %d", len(first), n)
	}
	s.subscribe(webhook.Subscription{ID: "coming"})
	if diff := cmp.Diff(names(first), names(s.replay(e, "rpl_1", ""))); diff != "" {
		t.Errorf("the repeat goes to others:\n%s", diff)
	}
	// Whatever the process that carries it out has in memory.
	s.stage = &fanout.Fanout{Store: s.store, Events: s.stage.Events, Deliveries: s.stage.Deliveries, Now: s.now, Log: s.stage.Log}
	wantNames(t, "to one of them", s.replay(e, "rpl_2", "s7"), "s7")
}

func TestAReplaySendsWhatFiredAndCouldNotBeRenderedThen(t *testing.T) {
	for _, trig := range []string{`{"once":true}`, `{"at":1}`, `{"cap":{"max":1,"per":"1d"}}`} {
		s := newStand(t)
		sub := s.subscribe(webhook.Subscription{ID: "s", Trigger: json.RawMessage(trig), Request: &webhook.RequestSpec{Require: []string{"data.line_id"}}})
		e := s.event("a", "u1", epoch, `{}`)
		s.publish(e)
		wantNames(t, trig+": before it is mended", s.replay(e, "rpl_1", ""))
		s.change(sub, func(next *webhook.Subscription) { next.Request = nil })
		wantNames(t, trig+": once it is mended", s.replay(e, "rpl_2", ""), "s")
	}
}
