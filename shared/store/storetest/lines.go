package storetest

import (
	"fmt"
	"slices"
	"testing"

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
	shared := waiting(owners[0], 1)[0]
	for _, sub := range owners {
		enter(t, store, sub, shared)
	}
	check(t, store.LeaveLine(t.Context(), owners[0], []string{shared}))
	for _, sub := range owners[1:] {
		want := slices.Sorted(slices.Values(append(waiting(sub, 3), shared)))
		same(t, fmt.Sprintf("line of %v", sub), line(t, store, sub, "", 100), want)
	}
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
