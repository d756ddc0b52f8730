package delivery_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/delivery"
	"github.com/postino/postino/shared/webhook"
)

// distant is a store whose reads take a while, as those of a table elsewhere do.
type distant struct{ *localstore.Store }

const away = 5 * time.Millisecond

func (d distant) Heads(ctx context.Context, refs []webhook.SubscriptionRef) ([]webhook.Head, error) {
	time.Sleep(away)
	return d.Store.Heads(ctx, refs)
}

func (d distant) DeliveriesByID(ctx context.Context, tenant string, ids []string) (map[string]webhook.Delivery, error) {
	time.Sleep(away)
	return d.Store.DeliveriesByID(ctx, tenant, ids)
}

// noting notes when it is asked to post.
type noting struct {
	answering
	at *time.Time
}

func (n noting) Do(r *http.Request) (*http.Response, error) {
	*n.at = time.Now()
	return n.answering.Do(r)
}

func TestSubscriptionsAndDeliveriesOfAFarStoreAreReadAtOnce(t *testing.T) {
	store := inLocalMode(t).(*localstore.Store)
	_, bodies := grouped(subscribed(t, store), 1)
	synctest.Test(t, func(t *testing.T) {
		var posted time.Time
		stage := &delivery.Deliverer{
			Store: distant{store}, Far: true, Client: noting{at: &posted}, Class: func(error) webhook.ErrorClass { return webhook.ErrorReset }, Exhausted: nowhere{},
			Secrets: open{}, Now: time.Now, Version: "0", Log: slog.New(slog.DiscardHandler),
		}
		began := time.Now()
		failed := stage.Handle(t.Context(), []queue.Message{{ID: "m", Group: "acme/s", Body: bodies.Encode(), Received: 1}})
		if took := posted.Sub(began); len(failed) > 0 || took != away {
			t.Errorf("failed %v, posted after %v, want it after the %v that either read takes", failed, took, away)
		}
	})
}
