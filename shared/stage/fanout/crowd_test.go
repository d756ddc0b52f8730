package fanout_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

// slowState is a store whose trigger state takes a second, or until whose time
// it is has ended.
type slowState struct {
	storetest.Store
	reads [][]webhook.StateRef
	saves int
}

func (s *slowState) TriggerState(ctx context.Context, refs []webhook.StateRef) ([]webhook.StateItem, error) {
	s.reads = append(s.reads, refs)
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Second):
		return s.Store.TriggerState(ctx, refs)
	}
}

func (s *slowState) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	s.saves++
	return s.Store.SaveTriggerState(ctx, items)
}

// newCrowd returns a stand whose state is slow, with a trigger that fires on each event.
func newCrowd(t *testing.T) (*stand, *slowState) {
	s := newStand(t)
	slow := &slowState{Store: s.store.Store}
	s.stage.Store = slow
	s.subscribe(webhook.Subscription{ID: "s", Trigger: json.RawMessage(`{"every":1}`)})
	return s, slow
}

// batch are messages of one event each.
func batch(events ...webhook.Event) (messages []queue.Message) {
	for i, e := range events {
		messages = append(messages, queue.Message{ID: fmt.Sprint("m", i), Group: "acme", Body: message.Pack{Events: []webhook.Event{e}}.Encode(), Received: 1})
	}
	return messages
}

// breakMark has an event's mark hold what nobody wrote.
func (s *stand) breakMark(sub webhook.Subscription, e webhook.Event) webhook.StateRef {
	s.t.Helper()
	d, err := trigger.DecodeEvent(e)
	if err != nil {
		s.t.Fatal(err)
	}
	o, _ := s.spec(sub).Occurrence(sub, e, d)
	if err := s.store.SaveTriggerState(s.t.Context(), []webhook.StateItem{{StateRef: o.Refs()[0], Data: []byte(`[`)}}); err != nil {
		s.t.Fatal(err)
	}
	return o.Refs()[0]
}

func TestTheChangesOfAKeyThatWaitAreStoredTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, slow := newCrowd(t)
		if failed := s.stage.Handle(t.Context(), batch(s.flights(10)...)); len(failed) > 0 {
			t.Fatalf("failed: %q", failed)
		}
		if len(s.sent) != 10 || slow.saves > 2 {
			t.Errorf("%d deliveries by %d saves, want 10 by two: of the first, and of who waited meanwhile", len(s.sent), slow.saves)
		}
	})
}

func TestAnArraysChangesOfAKeyAreStoredTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, slow := newCrowd(t)
		s.handle(message.Pack{Events: s.flights(40)}.Encode())
		if len(s.sent) != 40 || slow.saves != 2 {
			t.Errorf("%d deliveries by %d saves, want 40 by two: 32 changes at once", len(s.sent), slow.saves)
		}
		for i, f := range s.sent {
			if f.Count != i+1 {
				t.Errorf("%s is number %d, want %d", f.Event, f.Count, i+1)
			}
		}
	})
}

func TestAChangeThatFailsTakesNoOtherMessageWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t)
		sub := s.subscribe(webhook.Subscription{ID: "s", Trigger: json.RawMessage(`{"every":1}`)})
		events := s.flights(10)
		s.breakMark(sub, events[4])
		slow := &slowState{Store: s.store.Store}
		s.stage.Store = slow
		if failed := s.stage.Handle(t.Context(), batch(events...)); !slices.Equal(failed, []string{"m4"}) {
			t.Errorf("failed: %q, want only the message of the broken mark", failed)
		}
		if len(s.sent) != 9 || slow.saves > 2 {
			t.Errorf("%d deliveries by %d saves, want 9 by two", len(s.sent), slow.saves)
		}
	})
}

func TestAChangeThatFailsHoldsWhatComesAfterItInItsArray(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t)
		sub := s.subscribe(webhook.Subscription{ID: "s", Trigger: json.RawMessage(`{"every":1}`)})
		events := s.flights(5)
		mark := s.breakMark(sub, events[2])
		body := message.Pack{Events: events}.Encode()
		if failed := s.stage.Handle(t.Context(), []queue.Message{{ID: "m", Group: "acme", Body: body, Received: 1}}); len(failed) != 1 {
			t.Error("an array of which one could not be decided was acknowledged")
		}
		if err := s.store.DeleteTriggerState(t.Context(), []webhook.StateRef{mark}); err != nil {
			t.Fatal(err)
		}
		s.handle(body)
		for i, f := range s.sent {
			if f.Event != events[i].ID || f.Count != i+1 {
				t.Errorf("delivery %d is of %s with count %d, want %s, the %dth", i, f.Event, f.Count, events[i].ID, i+1)
			}
		}
		s.want("once mended", events...)
	})
}

// Who works for others may have less time than they.
func TestWhoseTimeIsOverTakesNoOtherWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, slow := newCrowd(t)
		events := s.flights(4)
		short, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		failed := make(chan []string, 3)
		handle := func(ctx context.Context, e webhook.Event) { go func() { failed <- s.stage.Handle(ctx, batch(e)) }() }
		handle(t.Context(), events[0]) // works for itself
		synctest.Wait()
		handle(short, events[1]) // works next, for the third too
		synctest.Wait()
		handle(t.Context(), events[2])
		total := 0
		for range 3 {
			total += len(<-failed)
		}
		if total != 1 || len(s.sent) != 2 {
			t.Errorf("%d messages failed and %d deliveries, want the one whose time was over, and two", total, len(s.sent))
		}
		if n := len(slow.reads); n != 3 {
			t.Errorf("state was read %d times, want three", n)
		}
	})
}

// Who stops waiting leaves the others to their work.
func TestWhoStopsWaitingHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newCrowd(t)
		events := s.flights(3)
		short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		failed := make(chan []string, 3)
		for i, ctx := range []context.Context{t.Context(), short, t.Context()} {
			go func() { failed <- s.stage.Handle(ctx, batch(events[i])) }()
			synctest.Wait()
		}
		if first := <-failed; len(first) != 1 {
			t.Errorf("first ended %q, want who stopped waiting", first)
		}
		for range 2 {
			if more := <-failed; len(more) > 0 {
				t.Errorf("failed: %q", more)
			}
		}
		s.want("of those who waited", events[0], events[2])
	})
}
