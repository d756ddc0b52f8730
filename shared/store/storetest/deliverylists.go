package storetest

import (
	"fmt"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

var deliveryListCases = map[string]func(*testing.T, Store){
	"PageInBothDirections":             pageDeliveries,
	"FilterBySubscriptionAndStatus":    filterDeliveries,
	"KeepToTheirBounds":                deliveryBounds,
	"FollowAChangeOfStatus":            deliveryChangesStatus,
	"LoseAndRepeatNothingDuringWrites": deliveriesDuringWrites,
	"HoldWholeDeliveries":              listedDeliveries,
	"AreEmptyWhereNothingIsOwed":       noDeliveries,
	"CoverPagedPlans":                  pagedPlanDeliveries,
	"TellSubscriptionsOfOneTagApart":   deliveriesOfOneTag,
}

func deliveryID(d webhook.Delivery) string     { return d.ID }
func deliveryCreated(d webhook.Delivery) int64 { return d.CreatedAt.UnixMilli() }

func deliveries(store Store, t *testing.T, f webhook.DeliveryFilter) list[webhook.Delivery] {
	return deliveriesOf(store, t, "acme", f)
}

func deliveriesOf(store Store, t *testing.T, tenant string, f webhook.DeliveryFilter) list[webhook.Delivery] {
	return func(p webhook.Page) ([]webhook.Delivery, string, error) {
		return store.PageDeliveries(t.Context(), tenant, f, p)
	}
}

var statuses = []webhook.Status{webhook.Pending, webhook.Succeeded, webhook.Exhausted, webhook.Canceled}

// owe stores n events accepted at afterStart(i), each with a plan of the
// subscriptions, and a delivery for each; statuses take turns. One list of a
// store may be a walk along events and their plans.
func owe(t *testing.T, store Store, n int, subscriptions ...string) []webhook.Delivery {
	t.Helper()
	made := make([][]webhook.Delivery, n)
	checkAll(t, race(n, func(i int) error {
		e := planned(event("acme", fmt.Sprint("e", i), afterStart(i)), subscriptions...)
		if _, _, err := store.CreateEvent(t.Context(), e); err != nil {
			return err
		}
		made[i] = nil // a repeat starts afresh
		for k, sub := range subscriptions {
			d := owed(e, sub, statuses[(i+k)%len(statuses)])
			d.Version = int64(k + 1)
			if err := insist(func() error { return store.SaveDelivery(t.Context(), d, webhook.Parts{}) }); err != nil {
				return err
			}
			d.Rev = 1
			made[i] = append(made[i], d)
		}
		return nil
	}))
	var all []webhook.Delivery
	for _, ds := range made {
		all = append(all, ds...)
	}
	return all
}

// matching returns the ids of those that a filter lets through.
func matching(ds []webhook.Delivery, f webhook.DeliveryFilter) []string {
	var ids []string
	for _, d := range ds {
		if (f.Subscription == "" || f.Subscription == d.Subscription) && (f.Status == "" || f.Status == d.Status) {
			ids = append(ids, d.ID)
		}
	}
	return ids
}

// filters are all kinds of filter.
func filters(subscriptions ...string) []webhook.DeliveryFilter {
	var all []webhook.DeliveryFilter
	for _, sub := range append(subscriptions, "", "absent") {
		for _, status := range append(statuses, "") {
			all = append(all, webhook.DeliveryFilter{Subscription: sub, Status: status})
		}
	}
	return all
}

func pageDeliveries(t *testing.T, store Store) {
	ds := owe(t, store, 27, "a", "b")
	for _, limit := range []int{1, 5, 54, 250} {
		for _, desc := range []bool{false, true} {
			for _, f := range []webhook.DeliveryFilter{{}, {Subscription: "a"}, {Status: webhook.Succeeded}, {Status: webhook.Pending}} {
				what := fmt.Sprintf("deliveries of %+v by %d", f, limit)
				got := lists(t, what, deliveries(store, t, f), webhook.Page{Limit: limit, Desc: desc}, deliveryID, matching(ds, f))
				ordered(t, what, got, desc, deliveryCreated)
			}
		}
	}
}

func filterDeliveries(t *testing.T, store Store) {
	ds := owe(t, store, 16, "a", "b", "a-b")
	for _, f := range filters("a", "b", "a-b") {
		for _, desc := range []bool{false, true} {
			what := fmt.Sprintf("deliveries of %+v", f)
			got := lists(t, what, deliveries(store, t, f), webhook.Page{Limit: 3, Desc: desc}, deliveryID, matching(ds, f))
			ordered(t, what, got, desc, deliveryCreated)
		}
	}
}

func deliveryBounds(t *testing.T, store Store) {
	ds := owe(t, store, 20, "a")
	lists(t, "PageDeliveries", deliveries(store, t, webhook.DeliveryFilter{}), webhook.Page{Limit: 9}, deliveryID, matching(ds, webhook.DeliveryFilter{}))
	for _, tt := range bounds {
		for _, f := range filters("a") {
			page := webhook.Page{Limit: 3, After: tt.after, Before: tt.before}
			lists(t, fmt.Sprintf("deliveries of %+v", f), deliveries(store, t, f), page, deliveryID, matching(ds[tt.first:tt.end], f))
			page.Desc = true
			lists(t, fmt.Sprintf("deliveries of %+v", f), deliveries(store, t, f), page, deliveryID, matching(ds[tt.first:tt.end], f))
		}
	}
}

func deliveryChangesStatus(t *testing.T, store Store) {
	e := planned(event("acme", "e", start), "s")
	create(t, store, e)
	d := owed(e, "s", webhook.Pending)
	for _, status := range []webhook.Status{webhook.Pending, webhook.Exhausted, webhook.Pending, webhook.Succeeded, webhook.Canceled, webhook.Succeeded} {
		d.Status = status
		d = put(t, store, d, webhook.Parts{})
		for _, f := range filters("s") {
			what := fmt.Sprintf("deliveries of %+v when %s", f, status)
			lists(t, what, deliveries(store, t, f), webhook.Page{Limit: 10}, deliveryID, matching([]webhook.Delivery{d}, f))
		}
	}
}

func deliveriesDuringWrites(t *testing.T, store Store) {
	ds := owe(t, store, 30, "a", "b")
	for _, f := range filters("a") {
		lists(t, fmt.Sprintf("deliveries of %+v", f), deliveries(store, t, f), webhook.Page{Limit: 250}, deliveryID, matching(ds, f))
	}
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- keepOwing(t, store, stop) }()
	for i, f := range filters("a") {
		entries, err := all(deliveries(store, t, f), webhook.Page{Limit: 1 + i, Desc: i%2 == 0})
		check(t, err)
		wantEachOnce(t, entries, deliveryID, matching(ds, f))
	}
	close(stop)
	check(t, <-done)
}

// keepOwing stores deliveries of new events, accepted between those of owe,
// and changes their status, until stopped, or until a list in memory could no
// longer come to its end.
func keepOwing(t *testing.T, store Store, stop chan struct{}) error {
	for i := range 500 {
		e := planned(event("acme", fmt.Sprint("new", i), afterStart(i*7%40-5).Add(1e9)), "a")
		if err := insist(func() error { _, _, err := store.CreateEvent(t.Context(), e); return err }); err != nil {
			return err
		}
		d := owed(e, "a", webhook.Pending)
		for rev := range int64(3) {
			select {
			case <-stop:
				return nil
			default:
			}
			d.Rev, d.Status = rev, statuses[(i+int(rev))%len(statuses)]
			if err := insist(func() error { return store.SaveDelivery(t.Context(), d, webhook.Parts{}) }); err != nil {
				return err
			}
		}
	}
	<-stop
	return nil
}

func listedDeliveries(t *testing.T, store Store) {
	e := planned(event("acme", "e", start), "s")
	create(t, store, e)
	d := full(e, "s")
	d.Occasion, d.ID = "", owed(e, "s", webhook.Pending).ID
	d = put(t, store, d, webhook.Parts{Attempt: attempt(14)})
	d.Last.Response = nil // a list may leave answers out
	for _, f := range []webhook.DeliveryFilter{{}, {Subscription: "s"}, {Status: webhook.Pending}, {Subscription: "s", Status: webhook.Pending}} {
		got := lists(t, "PageDeliveries", deliveries(store, t, f), webhook.Page{Limit: 10}, deliveryID, []string{d.ID})
		if got[0].Last != nil {
			got[0].Last.Response = nil
		}
		same(t, fmt.Sprintf("listed by %+v", f), got[0], d)
	}
}

func noDeliveries(t *testing.T, store Store) {
	owe(t, store, 3, "a")
	for _, f := range filters() {
		lists(t, fmt.Sprintf("deliveries of nobody by %+v", f), deliveriesOf(store, t, "nobody", f), webhook.Page{Limit: 10}, deliveryID, nil)
	}
}

// pagedPlanDeliveries owes deliveries by a plan of two stored pages.
func pagedPlanDeliveries(t *testing.T, store Store) {
	e := event("acme", "e", start)
	subs := numbered("s", webhook.PlanPage+5)
	e.Plan = webhook.Plan{Pages: 2, Key: "pages", Total: len(subs)}
	entries := planned(e, subs...).Plan.Entries
	check(t, store.PutPlanPage(t.Context(), "acme", e.Key(), e.Plan.Key, 0, entries[:webhook.PlanPage]))
	check(t, store.PutPlanPage(t.Context(), "acme", e.Key(), e.Plan.Key, 1, entries[webhook.PlanPage:]))
	create(t, store, e)
	var ds []webhook.Delivery
	for i := 0; i < len(subs); i += 67 {
		ds = append(ds, put(t, store, owed(e, subs[i], webhook.Succeeded), webhook.Parts{}))
	}
	for _, f := range []webhook.DeliveryFilter{{}, {Status: webhook.Succeeded}, {Subscription: subs[67]}} {
		for _, desc := range []bool{false, true} {
			lists(t, fmt.Sprintf("deliveries of %+v", f), deliveries(store, t, f), webhook.Page{Limit: 4, Desc: desc}, deliveryID, matching(ds, f))
		}
	}
}
