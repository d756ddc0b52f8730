package delivery_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/delivery"
	"github.com/postino/postino/shared/webhook"
)

// throttling is a store that is too busy to save a delivery, so many times.
type throttling struct {
	*localstore.Store
	times int
}

func (s *throttling) SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) error {
	if s.times--; s.times >= 0 {
		return webhook.ErrBusy
	}
	return s.Store.SaveDelivery(ctx, d, with)
}

// The message would come again after minutes, and what it holds be posted a
// second time.
func TestWhatWasPostedIsRecordedThoughTheStoreIsBusyForSeconds(t *testing.T) {
	for _, tt := range []struct {
		busy  int
		again bool
	}{{0, false}, {1, false}, {8, false}, {1000, true}} {
		synctest.Test(t, func(t *testing.T) {
			store := inLocalMode(t).(*localstore.Store)
			ids, bodies := firsts(subscribed(t, store), 1)
			client := &posts{by: map[string]int{}}
			stage := &delivery.Deliverer{
				Store: &throttling{store, tt.busy}, Client: client, Class: func(error) webhook.ErrorClass { return webhook.ErrorReset },
				Secrets: open{}, Now: time.Now, Version: "0", Log: slog.New(slog.DiscardHandler),
			}
			began := time.Now()
			failed := stage.Handle(t.Context(), []queue.Message{{ID: "m", Group: "acme/s", Body: message.FirstAttempts(bodies).Encode(), Received: 1}})
			if (len(failed) > 0) != tt.again || client.by[ids[0]] != 1 {
				t.Errorf("busy %d times: comes again: %v, after %d posts, want %v after one", tt.busy, failed, client.by[ids[0]], tt.again)
			}
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("busy %d times: recording took %v, more than a record may", tt.busy, took)
			}
		})
	}
}
