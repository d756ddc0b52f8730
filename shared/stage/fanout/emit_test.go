package fanout_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

func emitting(id, types, trigger, emit string) webhook.Subscription {
	sub := webhook.Subscription{ID: id, Types: []string{types}, Emit: &webhook.Emit{}}
	if trigger != "" {
		sub.Trigger = json.RawMessage(trigger)
	}
	if err := json.Unmarshal([]byte(emit), sub.Emit); err != nil {
		panic(err)
	}
	return sub
}

// quiet saves a subscription without a url.
func (s *stand) quiet(sub webhook.Subscription) {
	s.t.Helper()
	sub.Tenant, sub.State = "acme", webhook.Active
	if _, err := s.store.SaveSubscription(s.t.Context(), sub, 0); err != nil {
		s.t.Fatal(err)
	}
}

func TestATriggerThatFiresMakesAnEventWithoutACall(t *testing.T) {
	s := newStand(t)
	s.quiet(emitting("cart", "cart.updated", `{"delay":"1h"}`, `{"on":"fire","type":"cart.abandoned","data":{"items":"{{ data.items }}","of":"{{ subject }}"},"subject":"user-{{ subject }}"}`))
	s.subscribe(webhook.Subscription{ID: "mail", Types: []string{"cart.abandoned"}})
	cart := s.event("cart.updated", "u1", s.now(), `{"items":[1,2]}`)
	s.publish(cart, cart)
	s.want("before the delay is over")
	s.advance(2 * time.Hour)
	if len(s.sent) != 1 || s.sent[0].Subscription != "mail" {
		t.Fatalf("%d callbacks, want one to mail", len(s.sent))
	}
	e, err := s.store.Event(t.Context(), "acme", s.sent[0].Source, s.sent[0].Event)
	if err != nil || string(e.Data) != `{"items":[1,2],"of":"u1"}` || e.Subject != "user-u1" || e.Type != "cart.abandoned" || e.Depth != 1 {
		t.Errorf("the event is %+v with %s, %v", e.Event, e.Data, err)
	}
}

func TestAnEventIsMadeOnceHoweverOftenItsMessageComes(t *testing.T) {
	s := newStand(t)
	s.quiet(emitting("welcome", "user.made", "", `{"on":"fire","type":"series.step"}`))
	s.compute("steps", `{"types":["series.step"],"keep":"count"}`)
	e := s.event("user.made", "u1", s.now(), `{}`)
	s.publish(e, e, e)
	if p := s.profile("u1"); p.Revision != 1 {
		t.Errorf("%d events were made of one, want one", p.Revision)
	}
}

func TestAChainIsCutAfterFiveEvents(t *testing.T) {
	s := newStand(t)
	s.quiet(emitting("circle", "step", `{"cap":{"max":100,"per":"1d"}}`, `{"on":"fire","type":"step"}`))
	s.compute("steps", `{"types":["step"],"keep":"count"}`)
	s.publish(s.event("step", "u1", s.now(), `{}`))
	if p := s.profile("u1"); p.Revision != 1+webhook.MaxDepth {
		t.Errorf("%d events in a circle, want the first and %d", p.Revision, webhook.MaxDepth)
	}
}

func TestHistoryMakesNoEvents(t *testing.T) {
	s := newStand(t)
	s.quiet(emitting("each", "a", `{"once":true}`, `{"on":"fire","type":"b"}`))
	s.subscribe(webhook.Subscription{ID: "b", Types: []string{"b"}})
	s.publish(s.past(webhook.HistoryAll, "a", "u1", year, `{}`))
	s.want("an event of the past")
	s.publish(s.event("a", "u1", s.now(), `{}`), s.event("a", "u2", s.now(), `{}`))
	if got := fmt.Sprint(len(s.sent)); got != "1" {
		t.Errorf("%s callbacks, want one, for whom nothing was claimed", got)
	}
}
