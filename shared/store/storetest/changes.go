package storetest

import (
	"fmt"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

var changeLogCases = map[string]func(*testing.T, Store){
	"NamesEveryChange":             changeLog,
	"HasGapsOnlyOutsideItself":     changeGap,
	"IsDenseUnderRacingWriters":    denseUnderRaces,
	"ShowsWhatIsAcknowledged":      consistentVersion,
	"HoldsHundredsOfChangesAtOnce": longChangeLog,
	"IsCompleteAtAnyMoment":        completeChangeLog,
}

func changeLog(t *testing.T, store Store) {
	ctx := t.Context()
	if got := must[int64](t)(store.TenantVersion(ctx, "acme")); got != 0 {
		t.Errorf("version of an unknown tenant = %d", got)
	}
	a := save(t, store, subscription("acme", "a"), 0)
	b := save(t, store, subscription("acme", "b"), 0)
	a = save(t, store, a, a.Version)
	check(t, store.DeleteSubscription(ctx, webhook.SubscriptionRef{Tenant: "acme", ID: "b"}, b.Version))
	want := []webhook.Change{{Version: 1, Subscription: "a"}, {Version: 2, Subscription: "b"}, {Version: 3, Subscription: "a"}, {Version: 4, Subscription: "b"}}
	if got := must[int64](t)(store.TenantVersion(ctx, "acme")); got != 4 {
		t.Errorf("tenant version after 4 changes = %d", got)
	}
	for after := range int64(5) {
		for through := after; through < 5; through++ {
			got := must[[]webhook.Change](t)(store.Changes(ctx, "acme", after, through))
			same(t, fmt.Sprintf("Changes(%d, %d)", after, through), got, want[after:through])
		}
	}
}

func changeGap(t *testing.T, store Store) {
	save(t, store, subscription("acme", "a"), 0)
	for _, tenant := range []string{"acme", "nobody"} {
		_, err := store.Changes(t.Context(), tenant, 0, 2)
		wantError(t, "changes of "+tenant+" beyond the log", err, webhook.ErrGap)
	}
}

func denseUnderRaces(t *testing.T, store Store) {
	const writers, each = 12, 5
	checkAll(t, race(writers, func(i int) error {
		s, err := webhook.Subscription{Tenant: "acme", ID: fmt.Sprint("s", i)}, error(nil)
		for range each {
			if err := insist(func() error {
				var saved webhook.Subscription
				if saved, err = store.SaveSubscription(t.Context(), s, s.Version); err == nil {
					s = saved
				}
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	}))
	if got := must[int64](t)(store.TenantVersion(t.Context(), "acme")); got != writers*each {
		t.Errorf("tenant version after %d changes = %d", writers*each, got)
	}
	newest := map[string]int64{}
	for i, c := range must[[]webhook.Change](t)(store.Changes(t.Context(), "acme", 0, writers*each)) {
		if c.Version != int64(i+1) {
			t.Fatalf("change %d has version %d", i+1, c.Version)
		}
		version(t, store, webhook.Subscription{Tenant: "acme", ID: c.Subscription, Version: c.Version})
		newest[c.Subscription] = c.Version
	}
	for id, want := range newest {
		if got := head(t, store, id).Version; got != want {
			t.Errorf("head of %s has version %d, the log says %d", id, got, want)
		}
	}
}

// consistentVersion reads, in one goroutine each, right after each write.
func consistentVersion(t *testing.T, store Store) {
	checkAll(t, race(4, func(i int) error {
		tenant := fmt.Sprint("tenant", i)
		s := subscription(tenant, "s")
		for n := int64(1); n <= 20; n++ {
			var err error
			if err = insist(func() error {
				saved, err := store.SaveSubscription(t.Context(), s, s.Version)
				if err == nil {
					s = saved
				}
				return err
			}); err != nil {
				return err
			}
			got, err := store.TenantVersion(t.Context(), tenant)
			if err != nil || got != n {
				return fmt.Errorf("tenant version right after change %d = %d, %v", n, got, err)
			}
			listed, err := store.ListHeads(t.Context(), tenant, "", 10)
			if err != nil || len(listed) != 1 || listed[0].Version != n {
				return fmt.Errorf("ListHeads right after change %d = %v, %v", n, listed, err)
			}
		}
		return nil
	}))
}

func longChangeLog(t *testing.T, store Store) {
	const n = 300
	s := webhook.Subscription{Tenant: "acme", ID: "s"}
	for range n {
		s = save(t, store, s, s.Version)
	}
	got := must[[]webhook.Change](t)(store.Changes(t.Context(), "acme", 1, n))
	if len(got) != n-1 || got[0].Version != 2 || got[n-2].Version != n {
		t.Errorf("Changes(1, %d) = %d changes, %v to %v", n, len(got), got[0], got[len(got)-1])
	}
}

// completeChangeLog follows the changes as a container of fan-out does, while
// others write: whatever the tenant's version promises must be there.
func completeChangeLog(t *testing.T, store Store) {
	const writers, each = 4, 15
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- followChanges(t, store, stop) }()
	checkAll(t, race(writers, func(i int) error {
		s := webhook.Subscription{Tenant: "acme", ID: fmt.Sprint("s", i)}
		for range each {
			if err := insist(func() error {
				saved, err := store.SaveSubscription(t.Context(), s, s.Version)
				if err == nil {
					s = saved
				}
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	}))
	close(stop)
	check(t, <-done)
}

func followChanges(t *testing.T, store Store, stop chan struct{}) error {
	for seen := int64(0); ; {
		current, err := store.TenantVersion(t.Context(), "acme")
		if err != nil || current < seen {
			return fmt.Errorf("tenant version after %d = %d, %v", seen, current, err)
		}
		changes, err := store.Changes(t.Context(), "acme", seen, current)
		if err != nil {
			return fmt.Errorf("changes after %d through %d: %w", seen, current, err)
		}
		for _, c := range changes {
			heads, err := store.Heads(t.Context(), []webhook.SubscriptionRef{{Tenant: "acme", ID: c.Subscription}})
			if err != nil || heads[0].Version < c.Version {
				return fmt.Errorf("head after change %d of %s = %+v, %v", c.Version, c.Subscription, heads, err)
			}
		}
		seen = current
		select {
		case <-stop:
			return nil
		default:
		}
	}
}
