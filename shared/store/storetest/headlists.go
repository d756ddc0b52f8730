package storetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

var headListCases = map[string]func(*testing.T, Store){
	"PageInBothDirections":             pageHeads,
	"GoOnAfterAnId":                    listHeads,
	"LoseAndRepeatNothingDuringWrites": headsDuringWrites,
	"FollowDeletion":                   headsAfterDeletion,
}

func headID(h webhook.Head) string { return h.ID }

func heads(store Store, t *testing.T, tenant string) list[webhook.Head] {
	return func(p webhook.Page) ([]webhook.Head, string, error) { return store.PageHeads(t.Context(), tenant, p) }
}

// subscribe creates n subscriptions in random order and returns their heads
// by id.
func subscribe(t *testing.T, store Store, n int) []webhook.Head {
	t.Helper()
	made, ids := make([]webhook.Head, n), numbered("s", n)
	ids[0], ids[1], ids[n-1] = "-", "0", strings.Repeat("z", 64)
	order := rand.New(rand.NewPCG(1, 1)).Perm(n)
	checkAll(t, race(n, func(i int) error {
		s, err := store.SaveSubscription(t.Context(), subscription("acme", ids[order[i]]), 0)
		made[order[i]] = s.Head()
		return err
	}))
	return made
}

func pageHeads(t *testing.T, store Store) {
	want := subscribe(t, store, 43)
	for _, limit := range []int{1, 7, 42, 43, 44, 250} {
		for _, desc := range []bool{false, true} {
			got := must[[]webhook.Head](t)(all(heads(store, t, "acme"), webhook.Page{Limit: limit, Desc: desc}))
			for i := range got {
				at := i
				if desc {
					at = len(want) - 1 - i
				}
				if at >= 0 && at < len(want) {
					same(t, fmt.Sprintf("head %d by %d, descending %v", i, limit, desc), got[i], want[at])
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d heads by %d, descending %v, want %d", len(got), limit, desc, len(want))
			}
		}
	}
}

func listHeads(t *testing.T, store Store) {
	want := subscribe(t, store, 43)
	for _, limit := range []int{1, 10, 43, 1000} {
		var got []webhook.Head
		for after := ""; ; after = got[len(got)-1].ID {
			more := must[[]webhook.Head](t)(store.ListHeads(t.Context(), "acme", after, limit))
			if len(more) > limit || len(got) > len(want) {
				t.Fatalf("ListHeads after %q by %d = %d heads", after, limit, len(more))
			}
			if len(more) == 0 {
				break
			}
			got = append(got, more...)
		}
		same(t, fmt.Sprintf("ListHeads by %d", limit), got, want)
	}
	same(t, "heads after an id that is not there", must[[]webhook.Head](t)(store.ListHeads(t.Context(), "acme", "s0040x", 1)), want[41:42])
	same(t, "heads of nobody", must[[]webhook.Head](t)(store.ListHeads(t.Context(), "nobody", "", 9)), []webhook.Head{})
}

func headsDuringWrites(t *testing.T, store Store) {
	var ids []string
	made := subscribe(t, store, 30)
	for _, h := range made {
		ids = append(ids, h.ID)
	}
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- keepSubscribing(t, store, made, stop) }()
	for i := range 12 {
		entries, err := all(heads(store, t, "acme"), webhook.Page{Limit: 1 + i, Desc: i%2 == 0})
		check(t, err)
		wantEachOnce(t, entries, headID, ids)
	}
	close(stop)
	check(t, <-done)
}

// keepSubscribing creates, changes and deletes others, and changes those that
// were made, until stopped.
func keepSubscribing(t *testing.T, store Store, made []webhook.Head, stop chan struct{}) error {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return nil
		default:
		}
		h := &made[i%len(made)]
		s, err := store.SaveSubscription(t.Context(), webhook.Subscription{Tenant: "acme", ID: h.ID, Born: h.Born}, h.Version)
		if err != nil {
			return err
		}
		h.Version = s.Version
		ref := webhook.SubscriptionRef{Tenant: "acme", ID: fmt.Sprintf("s%04dnew", i%40)}
		other, err := store.SaveSubscription(t.Context(), webhook.Subscription{Tenant: "acme", ID: ref.ID}, 0)
		if err != nil {
			return err
		}
		if err := store.DeleteSubscription(t.Context(), ref, other.Version); err != nil {
			return err
		}
	}
}

func headsAfterDeletion(t *testing.T, store Store) {
	for _, h := range subscribe(t, store, 9) {
		check(t, store.DeleteSubscription(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: h.ID}, h.Version))
	}
	same(t, "PageHeads", must[[]webhook.Head](t)(all(heads(store, t, "acme"), webhook.Page{Limit: 4})), []webhook.Head{})
	same(t, "ListHeads", must[[]webhook.Head](t)(store.ListHeads(t.Context(), "acme", "", 4)), []webhook.Head{})
}
