package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/queue/outbox"
	"github.com/postino/postino/shared/webhook"
)

// sent is a queue that takes what it is told to.
type sent struct {
	batches [][]queue.Message
	unsent  []int // places in a batch that are not taken
}

func (s *sent) Send(_ context.Context, messages []queue.Message) error {
	if s.batches = append(s.batches, messages); s.unsent != nil {
		return &queue.Unsent{Indexes: s.unsent, Err: errors.New("injected")}
	}
	return nil
}

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// attempt is a message for a tenant's first attempt at a subscription.
func attempt(tenant, subscription string, n int) queue.Message {
	id := webhook.DeliveryID(tenant, fmt.Sprint("event ", n), epoch, subscription, "")
	f := message.FirstAttempt{Tenant: tenant, ID: id, Subscription: subscription, Created: epoch}
	return queue.Message{Group: message.SubscriptionGroup(tenant, subscription), Body: f.Encode()}
}

func TestFirstAttemptsOfOneSubscriptionShareMessages(t *testing.T) {
	to := &sent{}
	box := outbox.Outbox{To: to, Bundle: 3}
	for n := range 10 {
		for _, subscription := range []string{"a", "b"} {
			if err := box.Add(t.Context(), attempt("acme", subscription, n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := box.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(to.batches) != 1 || len(to.batches[0]) != 8 {
		t.Fatalf("%d batches, want one of 8 messages: 4 of each subscription", len(to.batches))
	}
	if err := box.Flush(t.Context()); err != nil || len(to.batches) != 1 {
		t.Errorf("an empty outbox sends: %v", err)
	}
}

func TestWhatIsNotSentFailsThoseWhomItWasOf(t *testing.T) {
	to := &sent{unsent: []int{1}}
	boxes := make([]*outbox.Outbox, 4)
	for i := range boxes {
		boxes[i] = &outbox.Outbox{To: to, Bundle: 2}
		if err := boxes[i].Add(t.Context(), attempt("acme", "s", i)); err != nil {
			t.Fatal(err)
		}
	}
	failed := errors.New("before")
	errs := []error{nil, failed, nil, nil} // two messages: of the first and the third, and of the last
	outbox.FlushTogether(t.Context(), boxes, errs)
	if errs[0] != nil || errs[1] != failed || errs[2] != nil || errs[3] == nil {
		t.Errorf("errors %v, want that of the last, whose message was not sent", errs)
	}
}
