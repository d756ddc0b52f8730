package fanout_test

import (
	"testing"

	"github.com/postino/postino/shared/api/operational"
	"github.com/postino/postino/shared/webhook"
)

func TestACancellationIsToldOnceHoweverOftenItIsDecided(t *testing.T) {
	s := newStand(t)
	odd := webhook.Subscription{ID: "odd", Types: []string{"a"}, Request: &webhook.RequestSpec{Headers: map[string]string{"x-odd": "{{ data.line }}"}}}
	s.subscribe(odd)
	odd.ID, odd.Types = "deaf", []string{"postino.*"}
	s.subscribe(odd)
	odd.Request = &webhook.RequestSpec{Headers: map[string]string{"x-odd": "{{ data.tenant | append: 'é' }}"}}
	odd.ID = "loop"
	s.subscribe(odd)
	s.subscribe(webhook.Subscription{ID: "picky", Types: []string{"a"}, Request: &webhook.RequestSpec{Require: []string{"data.other"}}})
	s.subscribe(webhook.Subscription{ID: "ops", Types: []string{"postino.*"}})
	e := s.event("a", "u", epoch, `{"line":"two\nlines"}`)
	for range 3 {
		s.publish(e)
		s.settle()
	}
	var told []string
	for _, f := range s.sent {
		if f.Subscription == "ops" {
			told = append(told, f.Event)
		}
	}
	if len(told) != 1 {
		t.Fatalf("told %d times, want once: %v", len(told), told)
	}
	for _, tenant := range []string{"acme", operational.Tenant} {
		if _, err := s.store.Event(t.Context(), tenant, operational.Source, told[0]); err != nil {
			t.Errorf("event %s in %s: %v", told[0], tenant, err)
		}
	}
}
