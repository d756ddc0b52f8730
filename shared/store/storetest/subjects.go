package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

var subjectCases = map[string]func(*testing.T, Store){
	"HaveTheirEvents":             eventsOfSubject,
	"HaveTheirDeliveries":         deliveriesOfSubject,
	"HaveDeliveriesOfOccasions":   occasionsOfSubject,
	"HaveDeliveriesOfPagedPlans":  pagedPlanOfSubject,
	"AreForgottenOnceExpunged":    expungedSubject,
	"SharePositionsWithNoOther":   positionsOfSubjects,
	"EndThoughNothingIsDelivered": subjectWithoutDeliveries,
}

// subjects take turns in these cases. One has none.
var subjects = []string{"ada", "ada#", "ü / \U0001F600", ""}

// about stores n events accepted at afterStart(i), whose subjects take turns,
// each with deliveries to a and b, whose statuses take turns.
func about(t *testing.T, store Store, n int) (made []webhook.StoredEvent, ds []webhook.Delivery) {
	t.Helper()
	for i := range n {
		e := planned(event("acme", fmt.Sprint("e", i), afterStart(i/2)), "a", "b")
		e.Subject, e.Type = subjects[i%len(subjects)], []string{"a.x", "b.x"}[i/len(subjects)%2]
		create(t, store, e)
		made = append(made, e)
		for k, sub := range []string{"a", "b"} {
			ds = append(ds, put(t, store, owed(e, sub, statuses[(i/len(subjects)+k)%len(statuses)]), webhook.Parts{}))
		}
	}
	return made, ds
}

func eventsBy(store Store, t *testing.T, f webhook.EventFilter) list[webhook.StoredEvent] {
	return func(p webhook.Page) ([]webhook.StoredEvent, string, error) {
		return store.PageEvents(t.Context(), "acme", f, p)
	}
}

func eventsOfSubject(t *testing.T, store Store) {
	made, _ := about(t, store, 40)
	other := event("acme2", "foreign", afterStart(3))
	other.Subject = "ada"
	create(t, store, other)
	for _, f := range []webhook.EventFilter{{Subject: "ada"}, {Subject: "ada#"}, {Subject: subjects[2]}, {Subject: "nobody"}, {Subject: "ada", Type: "a*"}, {Subject: "ada", Type: "b.x"}} {
		var want []string
		byID := map[string]webhook.StoredEvent{}
		for _, e := range made {
			if e.Subject == f.Subject && (f.Type == "" || f.Type[0] == e.Type[0]) {
				e.Data = nil
				want, byID[e.ID] = append(want, e.ID), e
			}
		}
		for _, desc := range []bool{false, true} {
			what := fmt.Sprintf("events by %+v", f)
			got := lists(t, what, eventsBy(store, t, f), webhook.Page{Limit: 3, Desc: desc}, eventID, want)
			ordered(t, what, got, desc, eventAccepted)
			for _, e := range got {
				same(t, what, e.Event, byID[e.ID].Event)
			}
		}
	}
	late := webhook.Page{Limit: 3, After: afterStart(9), Before: afterStart(14)}
	lists(t, "events of a time", eventsBy(store, t, webhook.EventFilter{Subject: "ada"}), late, eventID, []string{"e20", "e24"})
}

// ofSubject are the deliveries of the events that have the filter's subject.
func ofSubject(made []webhook.StoredEvent, ds []webhook.Delivery, f webhook.DeliveryFilter) []string {
	var theirs []webhook.Delivery
	for _, d := range ds {
		for _, e := range made {
			if e.ID == d.EventID && e.Subject == f.Subject {
				theirs = append(theirs, d)
			}
		}
	}
	return matching(theirs, f)
}

func deliveriesOfSubject(t *testing.T, store Store) {
	made, ds := about(t, store, 24)
	for _, f := range []webhook.DeliveryFilter{
		{Subject: "ada"}, {Subject: "ada#"}, {Subject: subjects[2]}, {Subject: "nobody"}, {Subject: "ada", Subscription: "b"},
		{Subject: "ada", Status: webhook.Succeeded}, {Subject: "ada", Status: webhook.Pending}, {Subject: "ada", Subscription: "a", Status: webhook.Exhausted},
	} {
		for _, limit := range []int{1, 3, 50} {
			for _, desc := range []bool{false, true} {
				what := fmt.Sprintf("deliveries by %+v, %d at once", f, limit)
				got := lists(t, what, deliveries(store, t, f), webhook.Page{Limit: limit, Desc: desc}, deliveryID, ofSubject(made, ds, f))
				ordered(t, what, got, desc, deliveryCreated)
			}
		}
	}
	late := webhook.Page{Limit: 3, After: afterStart(3), Before: afterStart(7)}
	lists(t, "deliveries of a time", deliveries(store, t, webhook.DeliveryFilter{Subject: "ada"}), late, deliveryID, []string{ds[16].ID, ds[17].ID, ds[24].ID, ds[25].ID})
}

// occasionsOfSubject has deliveries that no plan names, of a trigger and of a
// replay.
func occasionsOfSubject(t *testing.T, store Store) {
	made, ds := about(t, store, 8)
	accepted := map[string]int64{}
	for _, e := range made {
		accepted[e.ID] = e.AcceptedAt.UnixMilli()
	}
	for occasion, later := range map[string]time.Duration{"o1": 0, "o2": 0, "replay": time.Minute, "again": time.Hour} {
		for _, i := range []int{0, 1, 4} {
			d := owed(made[i], "c", webhook.Succeeded)
			d.CreatedAt = made[i].AcceptedAt.Add(later)
			d.Occasion, d.ID = occasion, webhook.DeliveryID("acme", made[i].Key(), d.CreatedAt, "c", occasion)
			ds = append(ds, put(t, store, d, webhook.Parts{}))
		}
	}
	f := webhook.DeliveryFilter{Subject: "ada"}
	for _, limit := range []int{1, 4, 50} {
		for _, desc := range []bool{false, true} {
			got := lists(t, "deliveries with occasions", deliveries(store, t, f), webhook.Page{Limit: limit, Desc: desc}, deliveryID, ofSubject(made, ds, f))
			ordered(t, "deliveries with occasions", got, desc, func(d webhook.Delivery) int64 { return accepted[d.EventID] })
		}
	}
}

func pagedPlanOfSubject(t *testing.T, store Store) {
	e := event("acme", "e", start)
	e.Subject, e.Plan = "ada", webhook.Plan{Pages: 2, Key: "k", Total: 6}
	create(t, store, e)
	var want []string
	for page := range 2 {
		var entries []webhook.PlanEntry
		for i := range 3 {
			sub := fmt.Sprintf("s%d%d", page, i)
			entries = append(entries, webhook.PlanEntry{Subscription: sub, Version: 1})
			want = append(want, put(t, store, owed(e, sub, webhook.Succeeded), webhook.Parts{}).ID)
		}
		check(t, store.PutPlanPage(t.Context(), "acme", e.Key(), "k", page, entries))
	}
	for _, limit := range []int{1, 4, 9} {
		lists(t, "deliveries of a paged plan", deliveries(store, t, webhook.DeliveryFilter{Subject: "ada"}), webhook.Page{Limit: limit}, deliveryID, want)
	}
}

func expungedSubject(t *testing.T, store Store) {
	made, ds := about(t, store, 8)
	f := webhook.DeliveryFilter{Subject: "ada"}
	lists(t, "deliveries", deliveries(store, t, f), webhook.Page{Limit: 9}, deliveryID, ofSubject(made, ds, f))
	check(t, store.ExpungeEvent(t.Context(), "acme", made[0].Source, "e0"))
	lists(t, "events once one is expunged", eventsBy(store, t, webhook.EventFilter{Subject: "ada"}), webhook.Page{Limit: 9}, eventID, []string{"e4"})
	lists(t, "deliveries once an event is expunged", deliveries(store, t, f), webhook.Page{Limit: 9}, deliveryID, []string{ds[8].ID, ds[9].ID})
}

func positionsOfSubjects(t *testing.T, store Store) {
	about(t, store, 16)
	ada := webhook.DeliveryFilter{Subject: "ada"}
	check(t, eventually(func() error {
		_, event, err := store.PageEvents(t.Context(), "acme", webhook.EventFilter{Subject: "ada"}, webhook.Page{Limit: 1})
		_, delivery, err2 := store.PageDeliveries(t.Context(), "acme", ada, webhook.Page{Limit: 1})
		check(t, err)
		check(t, err2)
		if event == "" || delivery == "" {
			return fmt.Errorf("positions %q and %q", event, delivery)
		}
		for _, other := range []string{"", "ada#"} {
			_, _, err = store.PageEvents(t.Context(), "acme", webhook.EventFilter{Subject: other}, webhook.Page{Limit: 1, Position: event})
			wantError(t, "events at another subject's position", err, webhook.ErrNotFound)
			_, _, err = store.PageDeliveries(t.Context(), "acme", webhook.DeliveryFilter{Subject: other}, webhook.Page{Limit: 1, Position: delivery})
			wantError(t, "deliveries at another subject's position", err, webhook.ErrNotFound)
		}
		return nil
	}))
}

func subjectWithoutDeliveries(t *testing.T, store Store) {
	for i := range 30 {
		e := planned(event("acme", fmt.Sprint("e", i), afterStart(i)), "a")
		e.Subject = "ada"
		create(t, store, e)
	}
	for _, limit := range []int{1, 50} {
		lists(t, "deliveries of events without", deliveries(store, t, webhook.DeliveryFilter{Subject: "ada"}), webhook.Page{Limit: limit}, deliveryID, nil)
	}
}
