package record

import (
	"sync"
	"testing"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// TestHeadsAreNeverOlderThanAnAcknowledgedChange reads a head all the time
// while it changes: whoever begins to read after a change sees it.
func TestHeadsAreNeverOlderThanAnAcknowledgedChange(t *testing.T) {
	ctx, store := t.Context(), In(&table.Memory{}).Alone()
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
