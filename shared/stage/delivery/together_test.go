package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/callback/signature"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/delivery"
	"github.com/postino/postino/shared/webhook"
)

// forgetful is a store that once does not record a delivery.
type forgetful struct {
	delivery.Store
	id   string
	once sync.Once
}

func (f *forgetful) SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) (err error) {
	if d.ID == f.id {
		f.once.Do(func() { err = errors.New("not recorded") })
	}
	if err != nil {
		return err
	}
	return f.Store.SaveDelivery(ctx, d, with)
}

// posts counts what is posted, by delivery, and answers 204.
type posts struct {
	mu sync.Mutex
	by map[string]int
}

func (p *posts) Do(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.by[r.Header.Get("Webhook-Id")]++
	return &http.Response{StatusCode: http.StatusNoContent, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

type open struct{}

func (open) Open(sealed []byte, _ ...string) ([]byte, error) { return sealed, nil }

// Of several first attempts in one message only the one that was not recorded
// is made again when the message comes again.
func TestFirstAttemptsThatShareAMessageShareNoFate(t *testing.T) {
	db, err := engine.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	store := localstore.In(db)
	sub := subscribed(t, store)
	ids, bodies := firsts(sub, 3)
	client, faults := &posts{by: map[string]int{}}, 0
	stage := &delivery.Deliverer{
		Count: func(name string, n int) {
			if name == "messages_failed" {
				faults += n
			}
		},
		Store: &forgetful{Store: store, id: ids[1]}, Client: client, Class: func(error) webhook.ErrorClass { return webhook.ErrorReset },
		Secrets: open{}, Now: time.Now, Version: "0", Log: slog.New(slog.DiscardHandler),
	}
	batch := []queue.Message{{ID: "m", Group: "acme/s", Body: message.FirstAttempts(bodies).Encode(), Received: 1}}
	if failed := stage.Handle(t.Context(), batch); !slices.Equal(failed, []string{"m"}) {
		t.Errorf("failed %v, want the message once", failed)
	}
	if failed := stage.Handle(t.Context(), batch); len(failed) > 0 {
		t.Errorf("failed %v the second time", failed)
	}
	if faults != 1 {
		t.Errorf("%d failures are counted, want the one", faults)
	}
	if diff := cmp.Diff(map[string]int{ids[0]: 1, ids[1]: 2, ids[2]: 1}, client.by); diff != "" {
		t.Errorf("posts by delivery (-want +got):\n%s", diff)
	}
	for _, id := range ids {
		d, err := store.Delivery(t.Context(), "acme", id)
		if err != nil || d.Status != webhook.Succeeded {
			t.Errorf("%s is %s (%v), want succeeded", id, d.Status, err)
		}
	}
}

// subscribed is a subscription that signs.
func subscribed(t *testing.T, store *localstore.Store) webhook.Subscription {
	t.Helper()
	secret, err := signature.Generate(signature.V1)
	if err != nil {
		t.Fatal(err)
	}
	sub, err := store.SaveSubscription(t.Context(), webhook.Subscription{
		Tenant: "acme", ID: "s", URL: "https://a.example/", State: webhook.Active, Retry: webhook.RetrySpec{Timeout: "15s"},
		Secrets: []webhook.SigningSecret{{Scheme: "v1", Sealed: []byte(secret)}},
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// firsts are first attempts for a subscription.
func firsts(sub webhook.Subscription, n int) (ids []string, bodies [][]byte) {
	at := time.Now().UTC().Truncate(time.Millisecond)
	for i := range n {
		event := fmt.Sprint("e", i)
		id := webhook.DeliveryID("acme", event, at, sub.ID, "")
		ids = append(ids, id)
		bodies = append(bodies, message.FirstAttempt{
			Tenant: "acme", ID: id, Event: event, Source: "/s", Created: at, Subscription: sub.ID, Version: sub.Version,
			Target: webhook.Target{URL: webhook.Text{Plain: sub.URL}}, Method: "POST", ContentType: "application/json", Body: "{}",
		}.Encode())
	}
	return ids, bodies
}
