package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

var planCases = map[string]func(*testing.T, Store){
	"PagesComeBack":          planPages,
	"PagesAreKeyedByNonce":   planPagesByNonce,
	"FullPagesComeBack":      fullPlanPage,
	"UnknownPagesAreAbsent":  absentPlanPage,
	"PagesStandBesideEvents": planPagesBesideEvents,
}

func planPages(t *testing.T, store Store) {
	key := webhook.EventKey("s", "e")
	page := func(i int) []webhook.PlanEntry {
		return []webhook.PlanEntry{
			{Subscription: fmt.Sprint("s", i), Version: int64(i)}, {Subscription: "c", Version: 1, Cancels: 1 << i},
			{Subscription: "o", Version: 2, Cancels: 1 << i, CancelsOnly: true},
			{Subscription: "w", Version: 2, Cancels: 1 << i, CancelsOnly: true, Why: webhook.ReasonNotStarted}, {Subscription: "w0", Version: 2, CancelsOnly: true, Why: webhook.ReasonAudience},
			{Subscription: "a", Version: 2, Asks: true}, {Subscription: "ac", Version: 2, Cancels: 1 << i, Asks: true},
			{Subscription: "x", Version: 3, Costly: true}, {Subscription: "xc", Version: 4, Cancels: 1 << i, Costly: true},
		}
	}
	for i := range 12 {
		for range 2 {
			check(t, store.PutPlanPage(t.Context(), "acme", key, "n", i, page(i)))
		}
	}
	for i := range 12 {
		got := must[[]webhook.PlanEntry](t)(store.PlanPage(t.Context(), "acme", key, "n", i))
		same(t, fmt.Sprintf("page %d", i), got, page(i))
	}
}

func planPagesByNonce(t *testing.T, store Store) {
	key := webhook.EventKey("s", "e")
	nonces := []string{"n", "n#1", "n#1#1", "1#n", "N", "n/1", "n|1"}
	want := func(nonce string) []webhook.PlanEntry { return []webhook.PlanEntry{{Subscription: nonce, Version: 1}} }
	for _, nonce := range nonces {
		check(t, store.PutPlanPage(t.Context(), "acme", key, nonce, 1, want(nonce)))
	}
	for _, nonce := range nonces {
		same(t, "page of "+nonce, must[[]webhook.PlanEntry](t)(store.PlanPage(t.Context(), "acme", key, nonce, 1)), want(nonce))
	}
}

func fullPlanPage(t *testing.T, store Store) {
	var entries []webhook.PlanEntry
	for i, id := range numbered(strings.Repeat("s", 60), webhook.PlanPage) {
		entries = append(entries, webhook.PlanEntry{Subscription: id, Version: 1<<60 + int64(i)})
	}
	check(t, store.PutPlanPage(t.Context(), "acme", webhook.EventKey("s", "e"), "n", 0, entries))
	same(t, "full page", must[[]webhook.PlanEntry](t)(store.PlanPage(t.Context(), "acme", webhook.EventKey("s", "e"), "n", 0)), entries)
}

func absentPlanPage(t *testing.T, store Store) {
	key, entries := webhook.EventKey("s", "e"), []webhook.PlanEntry{{Subscription: "s", Version: 1}}
	check(t, store.PutPlanPage(t.Context(), "acme", key, "n", 1, entries))
	for _, absent := range []struct {
		tenant, key, nonce string
		page               int
	}{{"acme", key, "n", 0}, {"acme", key, "n", 11}, {"acme", key, "m", 1}, {"acme", webhook.EventKey("s", "f"), "n", 1}, {"other", key, "n", 1}} {
		_, err := store.PlanPage(t.Context(), absent.tenant, absent.key, absent.nonce, absent.page)
		wantError(t, fmt.Sprintf("page %+v", absent), err, webhook.ErrNotFound)
	}
}

// planPagesBesideEvents stores pages before their event, as fan-out does.
func planPagesBesideEvents(t *testing.T, store Store) {
	e := event("acme", "e", start)
	e.Plan = webhook.Plan{Pages: 1, Total: 1}
	entries := []webhook.PlanEntry{{Subscription: "s", Version: 1}}
	check(t, store.PutPlanPage(t.Context(), "acme", e.Key(), e.Nonce, 0, entries))
	_, err := store.Event(t.Context(), "acme", e.Source, e.ID)
	wantError(t, "event that has only a page", err, webhook.ErrNotFound)
	create(t, store, e)
	same(t, "Event", stored(t, store, e), e)
	same(t, "page", must[[]webhook.PlanEntry](t)(store.PlanPage(t.Context(), "acme", e.Key(), e.Nonce, 0)), entries)
}
