package delivery_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/delivery"
	"github.com/postino/postino/shared/webhook"
)

// hasty is a store whose deliveries another worker changes, once, just before
// they are written.
type hasty struct {
	delivery.Store
	once   sync.Once
	change func(d webhook.Delivery) webhook.Delivery
}

func (h *hasty) SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) (err error) {
	h.once.Do(func() { err = h.Store.SaveDelivery(ctx, h.change(d), with) })
	if err != nil {
		return err
	}
	return h.Store.SaveDelivery(ctx, d, with)
}

// waits stores a delivery of s that waits for its second attempt, now.
func waits(t *testing.T, store delivery.Store, sub webhook.Subscription) (webhook.Delivery, queue.Message) {
	t.Helper()
	at := time.Now().UTC().Truncate(time.Millisecond)
	d := webhook.Delivery{
		Tenant: "acme", ID: webhook.DeliveryID("acme", "e", at, sub.ID, ""), EventID: "e", EventSource: "/s", Subscription: sub.ID, Version: sub.Version,
		Status: webhook.Pending, Waiting: webhook.WaitRetry, Step: 1, NextAt: at, CreatedAt: at, Digest: "x",
	}
	content := webhook.Content{Method: "POST", ContentType: "application/json", Body: webhook.Text{Plain: "{}"}}
	if err := store.SaveDelivery(t.Context(), d, webhook.Parts{Content: &content}); err != nil {
		t.Fatal(err)
	}
	d.Rev = 1
	again := message.Attempt{Tenant: "acme", Subscription: sub.ID, Delivery: d.ID, Step: 1}
	return d, queue.Message{ID: "m", Group: "acme/s", Body: again.Encode(), Received: 1}
}

func TestWhatAnotherWorkerSettledIsNoError(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(d webhook.Delivery) webhook.Delivery // before ours is written
		posts  int
		again  bool // the message comes again
	}{
		{"another made the attempt", func(d webhook.Delivery) webhook.Delivery {
			d.Status, d.Waiting, d.EndedAt, d.Attempts = webhook.Succeeded, "", d.CreatedAt, 1
			d.Claim = webhook.Claim{}
			return d
		}, 0, false},
		{"another is making it", func(d webhook.Delivery) webhook.Delivery {
			d.Claim = webhook.Claim{Token: "another's", Until: time.Now().Add(time.Hour)}
			return d
		}, 0, true},
		{"another changed what does not matter", func(d webhook.Delivery) webhook.Delivery {
			d.Claim, d.Attempts = webhook.Claim{}, 1
			return d
		}, 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := inLocalMode(t).(*localstore.Store)
			sub := subscribed(t, store)
			_, m := waits(t, store, sub)
			client, log, faults := &posts{by: map[string]int{}}, &strings.Builder{}, 0
			stage := &delivery.Deliverer{
				Count: func(name string, n int) {
					if name == "messages_failed" {
						faults += n
					}
				},
				Store: &hasty{Store: store, change: tt.change}, Client: client, Class: func(error) webhook.ErrorClass { return webhook.ErrorReset },
				Secrets: open{}, Now: time.Now, Version: "0", Log: slog.New(slog.NewTextHandler(log, nil)),
			}
			failed := stage.Handle(t.Context(), []queue.Message{m})
			made := 0
			for _, n := range client.by {
				made += n
			}
			if made != tt.posts || (len(failed) > 0) != tt.again {
				t.Errorf("%d posts were made, comes again: %v, want %d, %v", made, failed, tt.posts, tt.again)
			}
			if strings.Contains(log.String(), "level=ERROR") || faults > 0 {
				t.Errorf("counted as %d faults, or logged as an error: %s", faults, log)
			}
		})
	}
}

// conflicting is a worker of jobs that others overtake so often.
type conflicting struct{ times int }

func (c *conflicting) Work(context.Context, message.JobSlice, bool) error {
	if c.times--; c.times >= 0 {
		return fmt.Errorf("save: %w", webhook.ErrConflict)
	}
	return nil
}

func TestAJobThatAnotherWorkerMovedOnIsLookedAtAnew(t *testing.T) {
	for overtaken, again := range map[int]bool{0: false, 1: false, 2: false, 99: true} {
		log := &strings.Builder{}
		stage := &delivery.Deliverer{Store: inLocalMode(t), Jobs: &conflicting{overtaken}, Now: time.Now, Log: slog.New(slog.NewTextHandler(log, nil))}
		m := queue.Message{ID: "m", Body: message.JobSlice{Tenant: "acme", Job: "job_1"}.Encode()}
		if failed := stage.Handle(t.Context(), []queue.Message{m}); (len(failed) > 0) != again {
			t.Errorf("overtaken %d times: comes again: %v, want %v", overtaken, failed, again)
		}
		if log.Len() > 0 {
			t.Errorf("overtaken %d times: logged %s", overtaken, log)
		}
	}
}
