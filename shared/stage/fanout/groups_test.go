package fanout_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// groupOf returns the group that an event's plan gives to a subscription.
func (s *stand) groupOf(e webhook.Event, subscription string) webhook.Group {
	s.t.Helper()
	stored, err := s.store.Event(s.t.Context(), e.Tenant, e.Source, e.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	i := slices.IndexFunc(stored.Plan.Entries, func(entry webhook.PlanEntry) bool { return entry.Subscription == subscription })
	if i < 0 {
		s.t.Fatalf("event %s is not planned for %s", e.ID, subscription)
	}
	return stored.Plan.Entries[i].Group
}

func TestEventsOfABatchWithTheSameSubscribersShareGroups(t *testing.T) {
	s, out := together(t)
	s.subscribe(webhook.Subscription{ID: "s1"})
	s.subscribe(webhook.Subscription{ID: "s2"})
	s.subscribe(webhook.Subscription{ID: "triggered", Trigger: []byte(`{"every":1}`)})
	var events []webhook.Event
	for i := range 6 {
		events = append(events, s.event("a.b", "u", s.now(), fmt.Sprintf(`{"n":%d}`, i)))
	}
	batch := s.batch(events...)
	if failed := s.stage.Handle(t.Context(), batch); len(failed) > 0 {
		t.Fatalf("failed: %v", failed)
	}
	members := map[webhook.Group]int{}
	for _, e := range events {
		group := s.groupOf(e, "s1")
		members[group]++
		if other := s.groupOf(e, "s2"); other != group {
			t.Errorf("event %s is in group %d of s1 and %d of s2, want one", e.ID, group, other)
		}
		if its := s.groupOf(e, "triggered"); its != 0 {
			t.Errorf("event %s has group %d at a subscription with a trigger, want none", e.ID, its)
		}
	}
	if members[0] > 0 || len(members) != 2 {
		t.Errorf("events by group: %v, want four and two", members)
	}
	if failed := s.stage.Handle(t.Context(), batch[:3]); len(failed) > 0 {
		t.Fatalf("failed the second time: %v", failed)
	}
	for i, call := range out.calls {
		for _, m := range call {
			s.wantOwedIDs(i, m)
		}
	}
}

// wantOwedIDs sees that first attempts have the ids that stored plans give them,
// also if the message of their event came again.
func (s *stand) wantOwedIDs(call int, m queue.Message) {
	for _, f := range firsts(s.t, m) {
		stored, err := s.store.Event(s.t.Context(), f.Tenant, f.Source, f.Event)
		if err != nil {
			s.t.Fatal(err)
		}
		owed := func(entry webhook.PlanEntry) bool {
			return entry.Subscription == f.Subscription && stored.DeliveryID(entry) == f.ID
		}
		if !slices.ContainsFunc(stored.Plan.Entries, owed) {
			s.t.Errorf("call %d sends %s to %s, which no plan owes", call, f.ID, f.Subscription)
		}
	}
}

func TestWhatSharesNothingHasNoGroup(t *testing.T) {
	for name, prepare := range map[string]func(*stand){
		"a batch of one event":             func(*stand) {},
		"where no message carries several": func(s *stand) { s.stage.Bundle = 0 },
	} {
		s, _ := together(t)
		prepare(s)
		s.subscribe(webhook.Subscription{ID: "s1"})
		events := []webhook.Event{s.event("a.b", "u", s.now(), `{}`), s.event("a.b", "u", s.now(), `{}`)}
		for _, e := range events {
			if failed := s.stage.Handle(t.Context(), s.batch(e)); len(failed) > 0 {
				t.Fatalf("%s: failed: %v", name, failed)
			}
			if group := s.groupOf(e, "s1"); group != 0 {
				t.Errorf("%s has group %d, want none", name, group)
			}
		}
	}
}

func TestEventsThatLieFarApartShareNoGroup(t *testing.T) {
	s, _ := together(t)
	s.subscribe(webhook.Subscription{ID: "s1"})
	early, late := s.event("a.b", "u", s.now(), `{}`), s.event("a.b", "u", s.now(), `{}`)
	late.AcceptedAt = late.AcceptedAt.Add(2 * time.Second)
	both := message.Pack{Events: []webhook.Event{early, late}}
	if failed := s.stage.Handle(t.Context(), []queue.Message{{ID: "m", Group: "acme", Body: both.Encode(), Received: 1}}); len(failed) > 0 {
		t.Fatalf("failed: %v", failed)
	}
	if s.groupOf(early, "s1") == s.groupOf(late, "s1") {
		t.Error("events two seconds apart are in one group")
	}
}
