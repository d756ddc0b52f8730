package fanout_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

// crowded is a store in which others change a key's state all the time, until
// they have done so often enough.
type crowded struct {
	storetest.Store
	conflicts int
}

func (c *crowded) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	if c.conflicts--; c.conflicts >= 0 {
		return webhook.ErrConflict
	}
	return c.Store.SaveTriggerState(ctx, items)
}

// A message that fails comes after minutes, and 20 times at most. Contention
// is no fault of the message.
func TestContentionCostsSecondsAndNoReceipt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the pauses between tries
		s := newStand(t)
		s.subscribe(webhook.Subscription{ID: "s", Trigger: json.RawMessage(`{"every":1}`)})
		faults := 0
		s.stage.Store = &crowded{s.store, 70} // some 25 are tried at a time
		s.stage.Count = func(name string, n int) {
			if name == "messages_failed" {
				faults += n
			}
		}
		next, receipts := message.Pack{Events: []webhook.Event{s.event("a", "u1", epoch, `{}`)}}.Encode(), 0
		for ; next != nil; receipts++ {
			if failed := s.stage.Handle(t.Context(), []queue.Message{{ID: "m", Group: "acme", Body: next, Received: 1}}); len(failed) > 0 {
				t.Fatalf("receipt %d: failed %q, want it put off", receipts+1, failed)
			}
			next = s.takeSoon(t)
		}
		if len(s.sent) != 1 || receipts != 3 || faults > 0 {
			t.Errorf("%d deliveries after %d receipts with %d faults, want one after three with none", len(s.sent), receipts, faults)
		}
	})
}

// takeSoon takes what was put off, nil if nothing was.
func (s *stand) takeSoon(t *testing.T) []byte {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil
	}
	q := s.queue[0]
	s.queue = s.queue[1:]
	if in := q.at.Sub(s.clock); in < time.Second || in > 3*time.Second {
		t.Errorf("it was put off for %v, want one to three seconds", in)
	}
	return q.body
}

// What cannot be put off fails, and comes again as everything that fails.
func TestWhatCannotBePutOffFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t)
		s.subscribe(webhook.Subscription{ID: "s", Trigger: json.RawMessage(`{"every":1}`)})
		s.stage.Store, s.stage.Events = &crowded{s.store, 1000}, closedQueue{}
		body := message.Pack{Events: []webhook.Event{s.event("a", "u1", epoch, `{}`)}}.Encode()
		if failed := s.stage.Handle(t.Context(), []queue.Message{{ID: "m", Group: "acme", Body: body, Received: 1}}); len(failed) != 1 {
			t.Errorf("failed %q, want the message", failed)
		}
	})
}

type closedQueue struct{}

func (closedQueue) Send(context.Context, []queue.Message) error { return errors.New("no room") }
