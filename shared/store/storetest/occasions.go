package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

var occasionCases = map[string]func(*testing.T, Store){
	"AreFoundByTheirEvent":            occasionsOfEvent,
	"StandInEveryListOfDeliveries":    occasionsInLists,
	"AreFoundThoughTheirPlanIsEmpty":  occasionsWithoutPlan,
	"LoseAndRepeatNothingWhenOneGoes": occasionsDuringWrites,
}

// again returns a delivery of e that no plan names: a replay made it, that was
// asked for while later events came.
func again(e webhook.StoredEvent, subscription, occasion string, status webhook.Status) webhook.Delivery {
	d := owed(e, subscription, status)
	d.Occasion = occasion
	d.CreatedAt = e.AcceptedAt.Add(afterStart(5).Sub(start) / 2)
	d.ID = webhook.DeliveryID(e.Tenant, e.Key(), d.CreatedAt, subscription, occasion)
	return d
}

// allOccasions reads an event's occasions by pages of limit.
func allOccasions(t *testing.T, store Store, e webhook.StoredEvent, limit int) (found []webhook.Delivery) {
	t.Helper()
	for position := ""; ; {
		page, next, err := store.Occasions(t.Context(), e.Tenant, e.Source, e.ID, position, limit)
		check(t, err)
		found = append(found, page...)
		if position = next; next == "" {
			return found
		}
	}
}

func occasionsOfEvent(t *testing.T, store Store) {
	e, other := planned(event("acme", "e", start), "a", "b"), planned(event("acme", "e2", start), "a", "b")
	create(t, store, e)
	create(t, store, other)
	var want []webhook.Delivery
	put(t, store, owed(e, "a", webhook.Succeeded), webhook.Parts{}) // as planned
	for i, status := range append(statuses, statuses...) {
		for _, sub := range []string{"a", "b", "gone"} {
			d := again(e, sub, fmt.Sprint("replay ", i), status)
			want = append(want, put(t, store, d, webhook.Parts{}))
			put(t, store, again(other, sub, fmt.Sprint("replay ", i), status), webhook.Parts{})
		}
	}
	slices.SortFunc(want, func(a, b webhook.Delivery) int { return strings.Compare(a.ID, b.ID) })
	for _, limit := range []int{1, 5, 24, 250} {
		same(t, fmt.Sprintf("Occasions by %d", limit), allOccasions(t, store, e, limit), want)
	}
	foreign := e
	foreign.Tenant = "acme2"
	same(t, "Occasions of another tenant", allOccasions(t, store, foreign, 10), []webhook.Delivery{})
}

func occasionsInLists(t *testing.T, store Store) {
	ds := owe(t, store, 12, "a", "b")
	for i := range 12 {
		e := planned(event("acme", fmt.Sprint("e", i), afterStart(i)), "a", "b")
		for k, sub := range []string{"a", "a", "gone"} {
			d := again(e, sub, fmt.Sprint("replay ", k), statuses[(i+k)%len(statuses)])
			ds = append(ds, put(t, store, d, webhook.Parts{}))
		}
	}
	for _, f := range filters("a", "b", "gone") {
		for _, desc := range []bool{false, true} {
			for _, limit := range []int{4, 250} {
				what := fmt.Sprintf("deliveries of %+v by %d", f, limit)
				got := lists(t, what, deliveries(store, t, f), webhook.Page{Limit: limit, Desc: desc}, deliveryID, matching(ds, f))
				ordered(t, what, got, desc, deliveryCreated)
			}
		}
	}
	bounded := matching(slices.DeleteFunc(slices.Clone(ds), func(d webhook.Delivery) bool {
		return !d.CreatedAt.After(afterStart(3)) || !d.CreatedAt.Before(afterStart(8))
	}), webhook.DeliveryFilter{})
	lists(t, "deliveries within bounds", deliveries(store, t, webhook.DeliveryFilter{}),
		webhook.Page{Limit: 7, After: afterStart(3), Before: afterStart(8)}, deliveryID, bounded)
}

func occasionsWithoutPlan(t *testing.T, store Store) {
	e := event("acme", "e", start)
	create(t, store, e)
	d := put(t, store, again(e, "a", "replay", webhook.Succeeded), webhook.Parts{})
	for _, f := range []webhook.DeliveryFilter{{}, {Subscription: "a"}, {Status: webhook.Succeeded}} {
		lists(t, fmt.Sprintf("deliveries of %+v", f), deliveries(store, t, f), webhook.Page{Limit: 10}, deliveryID, []string{d.ID})
	}
}

// occasionsDuringWrites pages through occasions while further ones appear and
// change.
func occasionsDuringWrites(t *testing.T, store Store) {
	e := planned(event("acme", "e", start), "a")
	create(t, store, e)
	var ids []string
	for i := range 20 {
		ids = append(ids, put(t, store, again(e, "a", fmt.Sprint("old ", i), webhook.Pending), webhook.Parts{}).ID)
	}
	var seen []webhook.Delivery
	for position, i := "", 0; ; i++ {
		page, next, err := store.Occasions(t.Context(), e.Tenant, e.Source, e.ID, position, 3)
		check(t, err)
		seen = append(seen, page...)
		put(t, store, again(e, "a", fmt.Sprint("new ", i), webhook.Succeeded), webhook.Parts{})
		if position = next; next == "" {
			break
		}
	}
	wantEachOnce(t, seen, deliveryID, ids)
}
