package dynamostore_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/platform/aws/dynamostore"
	"github.com/postino/postino/shared/webhook"
)

// Most that one page may consume, whatever is stored: a filter without an index
// looks at 1,000 candidates, each for half a unit.
const (
	mostUnits = 650
	mostCalls = 150
)

// TestAPageReadsABoundedNumberOfItemsWhateverIsStored stores more than one page
// looks at, all alike, and asks for what few or none are.
func TestAPageReadsABoundedNumberOfItemsWhateverIsStored(t *testing.T) {
	store, m := metered(t)
	const n = 1100
	for _, crowded := range []webhook.Status{webhook.Succeeded, webhook.Pending} {
		tenant := "acme-" + string(crowded)
		events, deliveries := crowd(tenant, n, crowded)
		putAtOnce(t, store, events, deliveries)
		count := func(status webhook.Status) int {
			return map[bool]int{true: n - 2}[status == crowded] + map[bool]int{true: 2}[status == webhook.Exhausted]
		}
		for filter, want := range map[webhook.DeliveryFilter]int{
			{}:                          n,
			{Status: webhook.Succeeded}: count(webhook.Succeeded),
			{Status: webhook.Pending}:   count(webhook.Pending),
			{Status: webhook.Exhausted}: count(webhook.Exhausted),
			{Status: webhook.Canceled}:  0,
			{Subscription: "rare"}:      2,
			{Subscription: "nobody"}:    0,
			{Subscription: "crowd"}:     n - 2,
			{Subscription: "crowd", Status: webhook.Succeeded}: map[bool]int{true: n - 2}[crowded == webhook.Succeeded],
			{Subscription: "crowd", Status: webhook.Exhausted}: 0,
			{Subscription: "rare", Status: webhook.Succeeded}:  0,
		} {
			bounded(t, m, fmt.Sprintf("deliveries %+v of %s ones", filter, crowded), want, func(p webhook.Page) (int, string, error) {
				page, next, err := store.PageDeliveries(t.Context(), tenant, filter, p)
				return len(page), next, err
			})
		}
		for typ, want := range map[string]int{"": n, "rare": 2, "ra*": 2, "none": 0} {
			bounded(t, m, fmt.Sprintf("events of type %q", typ), want, func(p webhook.Page) (int, string, error) {
				page, next, err := store.PageEvents(t.Context(), tenant, webhook.EventFilter{Type: typ}, p)
				return len(page), next, err
			})
		}
	}
}

// crowd makes n events, each to one subscription. All but the two oldest are
// alike.
func crowd(tenant string, n int, status webhook.Status) (events []webhook.StoredEvent, deliveries []webhook.Delivery) {
	for i := range n {
		sub, typ, st := "crowd", "common", status
		if i < 2 {
			sub, typ, st = "rare", "rare", webhook.Exhausted
		}
		at := accepted.Add(time.Duration(i) * time.Second)
		e := webhook.StoredEvent{Event: webhook.Event{
			Tenant: tenant, ID: fmt.Sprint("e", i), Source: "/s", Type: typ, Time: at, AcceptedAt: at, Nonce: "n", Data: []byte(`{"a":1}`),
		}, Plan: webhook.Plan{Entries: []webhook.PlanEntry{{Subscription: sub, Version: 1}}, Total: 1}}
		events = append(events, e)
		deliveries = append(deliveries, webhook.Delivery{
			Tenant: tenant, ID: webhook.DeliveryID(tenant, e.Key(), at, sub, ""), EventID: e.ID, EventSource: "/s", Subscription: sub, Version: 1,
			Status: st, CreatedAt: at,
		})
	}
	return events, deliveries
}

// putAtOnce stores events and deliveries, of which none is there.
func putAtOnce(t *testing.T, store *dynamostore.Store, events []webhook.StoredEvent, deliveries []webhook.Delivery) {
	t.Helper()
	var group errgroup.Group
	group.SetLimit(50)
	for _, e := range events {
		group.Go(func() error { _, _, err := store.CreateEvent(t.Context(), e); return err })
	}
	for _, d := range deliveries {
		group.Go(func() error { return store.SaveDelivery(t.Context(), d, webhook.Parts{}) })
	}
	do(t, group.Wait())
}

// bounded walks a list, newest first, and with POSTINO_PROVE in both
// directions, and weighs each page.
func bounded(t *testing.T, m *meter, what string, want int, list func(webhook.Page) (int, string, error)) {
	t.Helper()
	directions := []bool{true}
	if os.Getenv("POSTINO_PROVE") != "" {
		directions = []bool{true, false}
	}
	for _, desc := range directions {
		entries := 0
		for page := (webhook.Page{Limit: 250, Desc: desc}); ; {
			m.take()
			n, next, err := list(page)
			do(t, err)
			spent, calls := m.take()
			total := 0.0
			for _, units := range spent {
				total += units
			}
			if total > mostUnits || calls > mostCalls {
				t.Errorf("%s: a page consumed %v units in %d calls, want at most %d in %d", what, total, calls, mostUnits, mostCalls)
			}
			entries += n
			if page.Position = next; next == "" {
				break
			}
		}
		if entries != want {
			t.Errorf("%s: %d entries, want %d", what, entries, want)
		}
	}
}
