package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

var lineCases = map[string]func(*testing.T, Store){
	"AreInOrderOfEvents":          lineOrder,
	"ForgiveRepeats":              lineRepeats,
	"GoOnAfterADelivery":          lineAfter,
	"BelongToOneSubscription":     lineOwners,
	"TakeManyAtOnce":              longLine,
	"AreSeenRightAfterEachChange": consistentLine,
}

var acme = webhook.SubscriptionRef{Tenant: "acme", ID: "s"}

func line(t *testing.T, store Store, sub webhook.SubscriptionRef, after string, limit int) []string {
	t.Helper()
	return must[[]string](t)(store.Line(t.Context(), sub, after, limit))
}

// waiting returns n ids of deliveries to a subscription, in order of events.
func waiting(sub webhook.SubscriptionRef, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = owed(event(sub.Tenant, fmt.Sprint("e", i), afterStart(i)), sub.ID, webhook.Pending).ID
	}
	return ids
}

func enter(t *testing.T, store Store, sub webhook.SubscriptionRef, ids ...string) {
	t.Helper()
	checkAll(t, race(len(ids), func(i int) error { return store.EnterLine(t.Context(), sub, ids[len(ids)-1-i]) }))
}

func lineOrder(t *testing.T, store Store) {
	same(t, "empty line", line(t, store, acme, "", 10), []string{})
	ids := waiting(acme, 20)
	enter(t, store, acme, ids...)
	same(t, "Line", line(t, store, acme, "", 100), ids)
	same(t, "first of line", line(t, store, acme, "", 1), ids[:1])
}

func lineRepeats(t *testing.T, store Store) {
	ids := waiting(acme, 4)
	for range 3 {
		enter(t, store, acme, ids...)
	}
	same(t, "Line", line(t, store, acme, "", 100), ids)
	for range 2 {
		check(t, store.LeaveLine(t.Context(), acme, []string{ids[1], ids[2], ids[1], waiting(acme, 5)[4]}))
		same(t, "Line", line(t, store, acme, "", 100), []string{ids[0], ids[3]})
	}
	check(t, store.LeaveLine(t.Context(), acme, nil))
	enter(t, store, acme, ids[1])
	same(t, "Line", line(t, store, acme, "", 100), []string{ids[0], ids[1], ids[3]})
}

func lineAfter(t *testing.T, store Store) {
	ids := waiting(acme, 25)
	enter(t, store, acme, ids...)
	var got []string
	for after := ""; len(got) <= len(ids); after = got[len(got)-1] {
		more := line(t, store, acme, after, 4)
		if len(more) == 0 {
			break
		}
		got = append(got, more...)
	}
	same(t, "Line by 4", got, ids)
	check(t, store.LeaveLine(t.Context(), acme, ids[3:4]))
	same(t, "Line after one that left", line(t, store, acme, ids[3], 2), ids[4:6])
	same(t, "Line after the last", line(t, store, acme, ids[24], 2), []string{})
}

func lineOwners(t *testing.T, store Store) {
	owners := []webhook.SubscriptionRef{{Tenant: "a", ID: "s"}, {Tenant: "a", ID: "s-1"}, {Tenant: "b", ID: "s"}, {Tenant: "a-s", ID: "1"}, {Tenant: "a", ID: "s_"}}
	for _, sub := range owners {
		enter(t, store, sub, waiting(sub, 3)...)
	}
	for _, sub := range owners {
		same(t, fmt.Sprintf("line of %v", sub), line(t, store, sub, "", 100), waiting(sub, 3))
	}
	check(t, store.LeaveLine(t.Context(), owners[0], slices.Concat(waiting(owners[0], 3), waiting(owners[1], 3))))
	same(t, "line that all left", line(t, store, owners[0], "", 100), []string{})
	same(t, "line of another", line(t, store, owners[1], "", 100), waiting(owners[1], 3))
}

func longLine(t *testing.T, store Store) {
	ids := waiting(acme, 120)
	enter(t, store, acme, ids...)
	same(t, "Line", line(t, store, acme, "", 120), ids)
	check(t, store.LeaveLine(t.Context(), acme, ids[:110]))
	same(t, "Line", line(t, store, acme, "", 120), ids[110:])
}

func consistentLine(t *testing.T, store Store) {
	checkAll(t, race(6, func(i int) error {
		sub := webhook.SubscriptionRef{Tenant: "acme", ID: fmt.Sprint("s", i)}
		for _, id := range waiting(sub, 10) {
			if err := insist(func() error { return store.EnterLine(t.Context(), sub, id) }); err != nil {
				return err
			}
			if got, err := store.Line(t.Context(), sub, "", 10); err != nil || len(got) != 1 || got[0] != id {
				return fmt.Errorf("line right after entering = %v, %v", got, err)
			}
			if err := insist(func() error { return store.LeaveLine(t.Context(), sub, []string{id}) }); err != nil {
				return err
			}
			if got, err := store.Line(t.Context(), sub, "", 10); err != nil || len(got) != 0 {
				return fmt.Errorf("line right after leaving = %v, %v", got, err)
			}
		}
		return nil
	}))
}

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
