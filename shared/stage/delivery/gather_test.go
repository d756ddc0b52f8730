package delivery_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/delivery"
	"github.com/postino/postino/shared/webhook"
)

// batches notes how many deliveries are saved by each call, and reads by id.
type batches struct {
	*localstore.Store
	mu    sync.Mutex
	saved []int
	reads int
	dies  bool // saving panics
}

func (b *batches) SaveDeliveries(ctx context.Context, saves []webhook.Save) []error {
	b.mu.Lock()
	b.saved = append(b.saved, len(saves))
	b.mu.Unlock()
	if b.dies {
		panic("dies")
	}
	return b.Store.SaveDeliveries(ctx, saves)
}

func (b *batches) SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) error {
	b.mu.Lock()
	b.saved = append(b.saved, 1)
	b.mu.Unlock()
	return b.Store.SaveDelivery(ctx, d, with)
}

func (b *batches) DeliveriesByID(ctx context.Context, tenant string, ids []string) (map[string]webhook.Delivery, error) {
	b.mu.Lock()
	b.reads++
	b.mu.Unlock()
	return b.Store.DeliveriesByID(ctx, tenant, ids)
}

// answering answers each delivery after a while with a status; 204 at once
// otherwise.
type answering struct {
	status map[string]int
	after  map[string]time.Duration
}

func (a answering) Do(r *http.Request) (*http.Response, error) {
	id := r.Header.Get("Webhook-Id")
	time.Sleep(a.after[id])
	status := http.StatusNoContent
	if s, ok := a.status[id]; ok {
		status = s
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

// grouped are first attempts of one group.
func grouped(sub webhook.Subscription, n int) (ids []string, bodies message.FirstAttempts) {
	entry := webhook.PlanEntry{Subscription: sub.ID, Version: sub.Version, Group: 7}
	for i := range n {
		e := webhook.Event{Tenant: "acme", ID: fmt.Sprint("e", i), Source: "/s", AcceptedAt: time.Now().UTC().Truncate(time.Second)}
		ids = append(ids, e.DeliveryID(entry))
		bodies = append(bodies, message.FirstAttempt{
			Tenant: "acme", ID: ids[i], Event: e.ID, Source: e.Source, Created: e.AcceptedAt, Subscription: sub.ID, Version: sub.Version,
			Target: webhook.Target{URL: webhook.Text{Plain: sub.URL}}, Method: "POST", ContentType: "application/json", Body: "{}",
		}.Encode())
	}
	return ids, bodies
}

// handle has ten first attempts of one group made, and returns the ids.
func (b *batches) handle(t *testing.T, client func(ids []string) answering, times int) (ids []string, failed []string) {
	t.Helper()
	ids, bodies := grouped(subscribed(t, b.Store), 10)
	stage := &delivery.Deliverer{
		Store: b, Client: client(ids), Class: func(error) webhook.ErrorClass { return webhook.ErrorReset }, Exhausted: nowhere{},
		Secrets: open{}, Now: time.Now, Version: "0", Log: slog.New(slog.DiscardHandler),
	}
	for range times {
		failed = stage.Handle(t.Context(), []queue.Message{{ID: "m", Group: "acme/s", Body: bodies.Encode(), Received: 1}})
	}
	return ids, failed
}

func wantStatuses(t *testing.T, store *localstore.Store, ids []string, want func(i int) webhook.Status) {
	t.Helper()
	for i, id := range ids {
		if d, err := store.Delivery(t.Context(), "acme", id); err != nil || d.Status != want(i) {
			t.Errorf("delivery %d is %q, %v, want %s", i, d.Status, err, want(i))
		}
	}
}

func TestFirstAttemptsOfOneGroupAreRecordedTogether(t *testing.T) {
	store := &batches{Store: inLocalMode(t).(*localstore.Store)}
	ids, failed := store.handle(t, func(ids []string) answering {
		return answering{status: map[string]int{ids[3]: 500}}
	}, 2)
	if len(failed) > 0 || !slices.Equal(store.saved, []int{10}) || store.reads != 2 {
		t.Errorf("failed %v, saved %v, %d reads by id, want ten at once and a read for each receipt", failed, store.saved, store.reads)
	}
	wantStatuses(t, store.Store, ids, func(i int) webhook.Status {
		if i == 3 {
			return webhook.Exhausted
		}
		return webhook.Succeeded
	})
}

func TestWhoHangsIsNotWaitedForByTheOthersOfItsGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &batches{Store: inLocalMode(t).(*localstore.Store)}
		ids, failed := store.handle(t, func(ids []string) answering {
			return answering{after: map[string]time.Duration{ids[0]: 10 * time.Second, ids[9]: 10 * time.Second}}
		}, 1)
		if len(failed) > 0 || !slices.Equal(store.saved, []int{8, 2}) {
			t.Errorf("failed %v, saved %v, want eight before the two that hang", failed, store.saved)
		}
		wantStatuses(t, store.Store, ids, func(int) webhook.Status { return webhook.Succeeded })
	})
}

func TestAllOfAGroupComeAgainIfSavingThemDies(t *testing.T) {
	store := &batches{Store: inLocalMode(t).(*localstore.Store), dies: true}
	_, failed := store.handle(t, func([]string) answering { return answering{} }, 1)
	if !slices.Equal(failed, []string{"m"}) {
		t.Errorf("failed %v, want the message", failed)
	}
}
