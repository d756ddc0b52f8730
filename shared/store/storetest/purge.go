package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

var purgeCases = map[string]func(*testing.T, Store){
	"RemovesADeletedLifeAndNoOther": purgeLife,
	"StopsAtItsLimit":               purgeLimit,
}

// live stores a subscription with n changes and state of a few keys in the
// epoch of its birth, and returns it.
func live(t *testing.T, store Store, tenant, id string, n int) webhook.Subscription {
	t.Helper()
	s := subscription(tenant, id)
	s.TriggerEpoch = 0
	s = must[webhook.Subscription](t)(store.SaveSubscription(t.Context(), s, 0))
	for range n {
		s = must[webhook.Subscription](t)(store.SaveSubscription(t.Context(), s, s.Version))
	}
	for k := range 3 {
		for _, part := range []string{"C", "M#1"} {
			check(t, store.SaveTriggerState(t.Context(), []webhook.StateItem{{StateRef: stateOfLife(s, k, part), Data: []byte("{}")}}))
		}
	}
	return s
}

func stateOfLife(s webhook.Subscription, k int, part string) webhook.StateRef {
	return webhook.StateRef{Tenant: s.Tenant, Subscription: s.ID, Epoch: s.Epoch(), Key: webhook.Hash(20, "key", fmt.Sprint(k)), Part: part}
}

// remains reports how much is stored of a life: versions and parts of state.
func remains(t *testing.T, store Store, s webhook.Subscription) (versions, parts int) {
	t.Helper()
	for v := s.Born; v <= s.Version; v++ {
		_, err := store.Versions(t.Context(), []webhook.VersionRef{{Tenant: s.Tenant, ID: s.ID, Version: v}})
		if err == nil {
			versions++
		} else if !errors.Is(err, webhook.ErrNotFound) {
			t.Fatal(err)
		}
	}
	for k := range 3 {
		parts += len(must[[]webhook.StateItem](t)(store.ListTriggerState(t.Context(), stateOfLife(s, k, ""), 10)))
	}
	return versions, parts
}

func purgeLife(t *testing.T, store Store) {
	dead, other, foreign := live(t, store, "acme", "s", 2), live(t, store, "acme", "s2", 0), live(t, store, "acme2", "s", 0)
	ref := webhook.SubscriptionRef{Tenant: "acme", ID: "s"}
	_, err := store.AddTally(t.Context(), ref, start, webhook.Tally{Attempts: 1, Failed: 1})
	check(t, err)
	check(t, store.DeleteSubscription(t.Context(), ref, dead.Version))
	through := must[int64](t)(store.TenantVersion(t.Context(), "acme"))
	again := live(t, store, "acme", "s", 1)
	removed := 0
	for {
		n := must[int](t)(store.PurgeSubscription(t.Context(), ref, through, 4))
		if removed += n; n == 0 {
			break
		}
	}
	if removed != 3+6 {
		t.Errorf("removed %d, want 3 versions and 6 parts of state", removed)
	}
	if versions, parts := remains(t, store, dead); versions != 0 || parts != 0 {
		t.Errorf("%d versions and %d parts remain of the deleted one", versions, parts)
	}
	for what, s := range map[string]webhook.Subscription{"made anew": again, "other": other, "of another tenant": foreign} {
		versions, parts := remains(t, store, s)
		if want := int(s.Version-s.Born) + 1; versions != want || parts != 6 {
			t.Errorf("%d versions and %d parts remain of the one %s, want %d and 6", versions, parts, what, want)
		}
	}
	if sum := must[webhook.Tally](t)(store.AddTally(t.Context(), ref, start, webhook.Tally{Attempts: 1})); sum.Attempts != 2 {
		t.Errorf("tally of the one made anew = %+v, want it kept", sum)
	}
}

func purgeLimit(t *testing.T, store Store) {
	s := live(t, store, "acme", "s", 0)
	ref := webhook.SubscriptionRef{Tenant: "acme", ID: "s"}
	for _, window := range []time.Time{start, start.Add(time.Minute)} {
		_, err := store.AddTally(t.Context(), ref, window, webhook.Tally{Attempts: 1})
		check(t, err)
	}
	check(t, store.DeleteSubscription(t.Context(), ref, s.Version))
	for want := 9; want > 0; want-- {
		if n := must[int](t)(store.PurgeSubscription(t.Context(), ref, s.Version, 1)); n != 1 {
			t.Errorf("with %d left it removed %d, want 1", want, n)
		}
	}
	if n := must[int](t)(store.PurgeSubscription(t.Context(), ref, s.Version, 1)); n != 0 {
		t.Errorf("at the end it removed %d", n)
	}
}
