package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

// within makes a subscription that is saved within a quota.
func within(id string, heavy int, q webhook.Quota) webhook.Subscription {
	s := subscription("acme", id)
	s.Heavy, s.Within = heavy, q
	return s
}

func quota(t *testing.T, store Store) {
	q := webhook.Quota{Subscriptions: 2, Filters: 100}
	a := save(t, store, within("a", 60, q), 0)
	if a.Within != (webhook.Quota{}) || head(t, store, "a").Heavy != 60 {
		t.Errorf("saved as %+v with a head of %+v, want no quota, and 60 heavy", a.Within, head(t, store, "a"))
	}
	refused := func(s webhook.Subscription, expect int64, want error) {
		t.Helper()
		_, err := store.SaveSubscription(t.Context(), s, expect)
		wantError(t, fmt.Sprintf("saving %s of %d", s.ID, s.Heavy), err, want)
	}
	refused(within("b", 41, q), 0, webhook.ErrTooHeavy)
	b := save(t, store, within("b", 40, q), 0)
	refused(within("c", 0, q), 0, webhook.ErrTooMany)
	refused(within("a", 61, q), a.Version, webhook.ErrTooHeavy)
	a = save(t, store, within("a", 0, q), a.Version)
	b = save(t, store, within("b", 100, q), b.Version)
	refused(within("a", 1, q), a.Version, webhook.ErrTooHeavy)
	a = save(t, store, within("a", 1, webhook.Quota{}), a.Version) // ours, which no quota holds up
	a = save(t, store, within("a", 1, q), a.Version)               // no worse than it was
	check(t, store.DeleteSubscription(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "b"}, b.Version))
	save(t, store, within("c", 99, q), 0)
	refused(within("d", 0, q), 0, webhook.ErrTooMany)
	other := within("a", 100, q)
	other.Tenant = "other"
	save(t, store, other, 0)
}

func racingQuota(t *testing.T, store Store) {
	q := webhook.Quota{Subscriptions: 3}
	errs := make([]error, 8)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { _, errs[i] = store.SaveSubscription(t.Context(), within(fmt.Sprint("s", i), 0, q), 0) })
	}
	all.Wait()
	saved := 0
	for _, err := range errs {
		if err == nil {
			saved++
		} else if !errors.Is(err, webhook.ErrTooMany) {
			t.Errorf("a racing creator: %v, want %v", err, webhook.ErrTooMany)
		}
	}
	if saved != 3 {
		t.Errorf("%d of 8 racing creators saved, want 3", saved)
	}
}
