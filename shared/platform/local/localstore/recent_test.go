package localstore

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// TestHeadsAreNeverOlderThanAnAcknowledgedChange reads a head all the time
// while it changes: whoever begins to read after a change sees it.
func TestHeadsAreNeverOlderThanAnAcknowledgedChange(t *testing.T) {
	ctx, store := t.Context(), open(t)
	ref := webhook.SubscriptionRef{Tenant: "acme", ID: "s"}
	var mu sync.Mutex
	acknowledged, done := int64(0), make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				mu.Lock()
				least := acknowledged
				mu.Unlock()
				heads, err := store.Heads(ctx, []webhook.SubscriptionRef{ref})
				if err != nil || heads[0].Version < least {
					t.Errorf("head %v, %v after version %d was acknowledged", heads, err, least)
					return
				}
				version, err := store.TenantVersion(ctx, "acme")
				if err != nil || version < least {
					t.Errorf("tenant version %d, %v after %d was acknowledged", version, err, least)
					return
				}
			}
		})
	}
	for range 200 {
		saved, err := store.SaveSubscription(ctx, webhook.Subscription{Tenant: "acme", ID: "s"}, acknowledged)
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		acknowledged = saved.Version
		mu.Unlock()
	}
	close(done)
	readers.Wait()
}

// TestWhatIsReadDuringAChangeIsNotKept: it may be from before.
func TestWhatIsReadDuringAChangeIsNotKept(t *testing.T) {
	r, ref := newRecent(), webhook.SubscriptionRef{Tenant: "acme", ID: "s"}
	old := map[webhook.SubscriptionRef]webhook.Head{ref: {Version: 1}}
	_, before := r.find([]webhook.SubscriptionRef{ref})
	var during int64
	r.change(func() error {
		_, during = r.find([]webhook.SubscriptionRef{ref})
		r.put(during, old, nil)
		return nil
	})
	r.put(before, old, nil)
	r.put(during, old, nil)
	if heads, _ := r.find([]webhook.SubscriptionRef{ref}); heads != nil {
		t.Errorf("kept %v, read before a change ended", heads)
	}
	_, after := r.find([]webhook.SubscriptionRef{ref})
	r.put(after, old, nil)
	if heads, _ := r.find([]webhook.SubscriptionRef{ref}); heads == nil {
		t.Error("nothing kept of what was read after the change")
	}
}

// TestNoStoredDeliveryIsCalledAbsent: not those that an earlier process wrote,
// not new ones, not ones whose names were forgotten.
func TestNoStoredDeliveryIsCalledAbsent(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	store, closeDB := openIn(t, dir)
	at := time.UnixMilli(1_800_000_000_000)
	delivery := func(tenant string, n int) webhook.Delivery {
		id := webhook.DeliveryID(tenant, fmt.Sprint(n), at.Add(time.Duration(n)*time.Millisecond), "s", "")
		return webhook.Delivery{Tenant: tenant, ID: id, Subscription: "s", Status: webhook.Succeeded, CreatedAt: at}
	}
	for _, tenant := range []string{"a", "b"} {
		if err := store.SaveDelivery(ctx, delivery(tenant, 1), webhook.Parts{}); err != nil {
			t.Fatal(err)
		}
	}
	closeDB()
	store, _ = openIn(t, dir)
	if err := store.SaveDelivery(ctx, delivery("a", 2), webhook.Parts{}); err != nil {
		t.Fatal(err)
	}
	stored := []webhook.Delivery{delivery("a", 1), delivery("b", 1), delivery("a", 2)}
	check := func() {
		t.Helper()
		for _, d := range stored {
			if _, err := store.Delivery(ctx, d.Tenant, d.ID); err != nil {
				t.Errorf("delivery %s of %s: %v", d.ID, d.Tenant, err)
			}
		}
	}
	check()
	for n := range 3 * maxWritten { // as if so many had been written since
		d := delivery("a", 10+n)
		store.written.add(d.Tenant, d.ID)
	}
	check()
	if _, err := store.Delivery(ctx, "a", delivery("a", 10*maxWritten).ID); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("a delivery that nobody wrote: %v", err)
	}
	if !store.written.absent("b", delivery("b", 5*maxWritten).ID) {
		t.Error("a new delivery is not known to be absent")
	}
}
