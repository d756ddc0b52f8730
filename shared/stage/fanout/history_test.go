package fanout_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

// past makes an event of the past.
func (s *stand) past(feeds webhook.History, typ, subject string, ago time.Duration, data string) webhook.Event {
	e := s.event(typ, subject, s.now().Add(-ago), data)
	e.History = feeds
	return e
}

func triggered(id, trigger string) webhook.Subscription {
	return webhook.Subscription{ID: id, Trigger: json.RawMessage(trigger)}
}

const year = 365 * 24 * time.Hour

func TestHistoryFeedsCountsAndAttributesAndSendsNothing(t *testing.T) {
	s := newStand(t)
	s.compute("flights", `{"types":["flight"],"keep":"count"}`)
	s.subscribe(webhook.Subscription{ID: "each"})
	s.subscribe(webhook.Subscription{ID: "fifth", Trigger: json.RawMessage(`{"at":5}`), MaxAge: "1d"})
	s.subscribe(triggered("later", `{"delay":"1h"}`))
	var old []webhook.Event
	for i := range 4 {
		old = append(old, s.past(webhook.HistoryAll, "flight", "u1", time.Duration(i)*year, `{}`))
	}
	s.publish(old...)
	s.publish(old...) // at least once
	s.advance(2 * time.Hour)
	s.want("four flights of the past")
	now := s.event("flight", "u1", s.now(), `{}`)
	s.publish(now)
	got := map[string]int{}
	for _, f := range s.sent {
		got[f.Subscription] = f.Count
	}
	if fmt.Sprint(got) != "map[each:0 fifth:5]" {
		t.Errorf("the fifth flight leads to %v, want each, and fifth with the count 5", got)
	}
	if p := s.profile("u1"); p.Revision != 5 {
		t.Errorf("the profile has revision %d, want one for each flight", p.Revision)
	}
}

func TestHistoryFeedsWhatItIsAskedToFeed(t *testing.T) {
	for _, tt := range []struct {
		feeds             webhook.History
		counted, attested bool
		claimed           bool
	}{
		{webhook.HistoryAttributes, false, true, false},
		{webhook.HistoryCounts, true, false, false},
		{webhook.HistoryClaims, false, false, true},
		{webhook.HistoryAll, true, true, true},
	} {
		s := newStand(t)
		s.compute("n", `{"keep":"count"}`)
		s.subscribe(triggered("second", `{"at":2}`))
		s.subscribe(triggered("once", `{"once":true}`))
		s.publish(s.past(tt.feeds, "a", "u1", year, `{}`))
		if got := s.profile("u1").Revision > 0; got != tt.attested {
			t.Errorf("%v: feeds attributes: %v, want %v", tt.feeds.Names(), got, tt.attested)
		}
		s.publish(s.event("a", "u1", s.now(), `{}`))
		got := map[string]bool{}
		for _, f := range s.sent {
			got[f.Subscription] = true
		}
		if got["second"] != tt.counted || got["once"] == tt.claimed {
			t.Errorf("%v: the next event leads to %v, want second: %v, once: %v", tt.feeds.Names(), got, tt.counted, !tt.claimed)
		}
	}
}

func TestHistoryClaimsAsOfItsOwnTime(t *testing.T) {
	s := newStand(t)
	s.subscribe(triggered("monthly", `{"once_per":"30d"}`))
	s.subscribe(triggered("capped", `{"cap":{"max":2,"per":"30d"}}`))
	const day = 24 * time.Hour
	s.publish(s.past(webhook.HistoryAll, "a", "u1", 40*day, `{}`), s.past(webhook.HistoryAll, "a", "u1", 20*day, `{}`), s.past(webhook.HistoryAll, "a", "u1", 25*day, `{}`))
	for _, tt := range []struct {
		wait time.Duration
		want string
	}{{0, "[]"}, {6 * day, "[capped]"}, {5 * day, "[capped monthly]"}} {
		s.advance(tt.wait)
		s.sent = nil
		s.publish(s.event("a", "u1", s.now(), `{}`))
		got := []string{}
		for _, f := range s.sent {
			got = append(got, f.Subscription)
		}
		if fmt.Sprint(got) != tt.want && fmt.Sprint(got) != "[monthly capped]" {
			t.Errorf("after %v more: %v, want %s", tt.wait, got, tt.want)
		}
	}
}

func TestHistoryCancelsNothing(t *testing.T) {
	s := newStand(t)
	s.subscribe(webhook.Subscription{ID: "nudge", Types: []string{"cart"}, Trigger: json.RawMessage(`{"delay":"1h","cancel":[{"types":["order"]}]}`)})
	cart := s.event("cart", "u1", s.now().Add(-time.Minute), `{}`)
	s.publish(cart, s.past(webhook.HistoryAll, "order", "u1", 0, `{}`))
	s.advance(2 * time.Hour)
	s.want("a cart, and an order of the past after it", cart)
}

func TestOnceClaimedByHistoryIsNotSentWhenTheMessageComesAgain(t *testing.T) {
	s := newStand(t)
	s.subscribe(triggered("once", `{"once":true}`))
	e := s.past(webhook.HistoryClaims, "a", "u1", year, `{}`)
	for range 3 {
		s.handle(message.Pack{Events: []webhook.Event{e}}.Encode())
	}
	s.want("an event of the past that comes three times")
}
