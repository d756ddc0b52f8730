package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

var leaseCases = map[string]func(*testing.T, Store){
	"HaveOneHolder":              leaseHolder,
	"AreExtendedByTheHolderOnly": leaseExtension,
	"EndInTime":                  leaseExpiry,
	"AreGivenUp":                 leaseRelease,
	"AreForOneWorkOfOneOwner":    leaseOwners,
	"HaveOneWinnerInARace":       racingLeases,
}

// leased asks for the lease of work "drain" between two seconds after start.
func leased(t *testing.T, store Store, token string, now, until int) bool {
	t.Helper()
	return must[bool](t)(store.Lease(t.Context(), acme, "drain", token, second(now), second(until)))
}

func second(n int) time.Time { return nano.Add(time.Duration(n) * time.Second) }

// wantLease reports an answer other than wanted.
func wantLease(t *testing.T, store Store, token string, now, until int, want bool) {
	t.Helper()
	if got := leased(t, store, token, now, until); got != want {
		t.Errorf("lease for %s at second %d until %d = %v, want %v", token, now, until, got, want)
	}
}

func leaseHolder(t *testing.T, store Store) {
	wantLease(t, store, "a", 0, 10, true)
	wantLease(t, store, "b", 1, 11, false)
	wantLease(t, store, "a", 1, 10, true)
	wantLease(t, store, "b", 2, 12, false)
}

func leaseExtension(t *testing.T, store Store) {
	wantLease(t, store, "a", 0, 10, true)
	wantLease(t, store, "a", 5, 20, true)
	wantLease(t, store, "b", 15, 30, false)
	wantLease(t, store, "a", 19, 40, true)
	wantLease(t, store, "b", 25, 30, false)
	wantLease(t, store, "b", 25, 99, false) // a refusal extends nothing
	wantLease(t, store, "b", 40, 50, true)
	wantLease(t, store, "a", 41, 60, false) // what has passed on does not return
}

func leaseExpiry(t *testing.T, store Store) {
	wantLease(t, store, "a", 0, 10, true)
	wantLease(t, store, "b", 9, 20, false)
	wantLease(t, store, "b", 10, 20, true)
	wantLease(t, store, "a", 11, 30, false)
	wantLease(t, store, "b", 30, 40, true) // also by the one who let it end
	granted := must[bool](t)(store.Lease(t.Context(), acme, "drain", "a", second(40).Add(-1), second(50)))
	if granted {
		t.Error("a lease ended a nanosecond early")
	}
}

func leaseRelease(t *testing.T, store Store) {
	wantLease(t, store, "a", 0, 10, true)
	wantLease(t, store, "b", 1, 0, false) // not b's to give up
	wantLease(t, store, "b", 1, 20, false)
	wantLease(t, store, "a", 2, 2, true)
	wantLease(t, store, "b", 2, 20, true)
	wantLease(t, store, "a", 3, 1, false) // nor a's any more
	wantLease(t, store, "c", 3, 20, false)
	if granted := must[bool](t)(store.Lease(t.Context(), acme, "drain", "b", second(4), time.Time{})); !granted {
		t.Error("the holder could not give up by the zero time")
	}
	wantLease(t, store, "c", 4, 20, true)
}

func leaseOwners(t *testing.T, store Store) {
	wantLease(t, store, "a", 0, 10, true)
	for _, other := range []struct {
		sub  webhook.SubscriptionRef
		work string
	}{
		{acme, "audit"}, {acme, "drai"}, {webhook.SubscriptionRef{Tenant: "acme", ID: "t"}, "drain"},
		{webhook.SubscriptionRef{Tenant: "other", ID: "s"}, "drain"}, {webhook.SubscriptionRef{Tenant: "acme", ID: "s-drain"}, ""},
	} {
		if !must[bool](t)(store.Lease(t.Context(), other.sub, other.work, "b", second(1), second(5))) {
			t.Errorf("the lease of %v %s is held by another's holder", other.sub, other.work)
		}
	}
	enter(t, store, acme, waiting(acme, 2)...)
	same(t, "line beside a lease", line(t, store, acme, "", 10), waiting(acme, 2))
}

func racingLeases(t *testing.T, store Store) {
	for round := range 10 {
		granted := make([]bool, 16)
		checkAll(t, race(len(granted), func(i int) (err error) {
			granted[i], err = store.Lease(t.Context(), acme, "drain", fmt.Sprint("token", i), second(round*10), second(round*10+10))
			return err
		}))
		holders := 0
		for _, g := range granted {
			if g {
				holders++
			}
		}
		if holders != 1 {
			t.Errorf("%d holders in round %d", holders, round)
		}
	}
}
