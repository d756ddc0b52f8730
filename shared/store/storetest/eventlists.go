package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

var eventListCases = map[string]func(*testing.T, Store){
	"PageInBothDirections":              pageEvents,
	"HoldEventsWithoutTheirData":        listedEvents,
	"FilterByType":                      eventTypes,
	"KeepToTheirBounds":                 eventBounds,
	"TellEventsOfOneMillisecondApart":   eventsOfOneMillisecond,
	"LoseAndRepeatNothingDuringWrites":  eventsDuringWrites,
	"AreEmptyWhereNothingWasPublished":  noEvents,
	"EndThoughOnlyFewOfManyHaveTheType": rareType,
}

func eventID(e webhook.StoredEvent) string      { return e.ID }
func eventAccepted(e webhook.StoredEvent) int64 { return e.AcceptedAt.UnixMilli() }
func afterStart(steps int) time.Time            { return start.Add(time.Duration(steps) * 17 * time.Second) }
func events(store Store, t *testing.T, typ string) list[webhook.StoredEvent] {
	return eventsOf(store, t, "acme", typ)
}

func eventsOf(store Store, t *testing.T, tenant, typ string) list[webhook.StoredEvent] {
	return func(p webhook.Page) ([]webhook.StoredEvent, string, error) {
		return store.PageEvents(t.Context(), tenant, webhook.EventFilter{Type: typ}, p)
	}
}

// createMany stores n small events, accepted at afterStart(i), and returns
// their ids in that order.
func createMany(t *testing.T, store Store, n int) []string {
	t.Helper()
	ids := numbered("e", n)
	checkAll(t, race(n, func(i int) error {
		_, _, err := store.CreateEvent(t.Context(), event("acme", ids[i], afterStart(i)))
		return err
	}))
	return ids
}

func pageEvents(t *testing.T, store Store) {
	ids := createMany(t, store, 53)
	for _, limit := range []int{1, 7, 52, 53, 54, 250} {
		for _, desc := range []bool{false, true} {
			what := fmt.Sprintf("PageEvents by %d", limit)
			got := lists(t, what, events(store, t, ""), webhook.Page{Limit: limit, Desc: desc}, eventID, ids)
			ordered(t, what, got, desc, eventAccepted)
		}
	}
}

func listedEvents(t *testing.T, store Store) {
	e := planned(event("acme", "e", start), "s")
	e.Time = nano
	bare := webhook.StoredEvent{Event: webhook.Event{Tenant: "acme", ID: "bare", Source: "/", Type: "t", Time: start, AcceptedAt: start.Add(1), Nonce: "n"}}
	bare.AcceptedAt = start.Add(time.Millisecond)
	create(t, store, e)
	create(t, store, bare)
	got := lists(t, "PageEvents", events(store, t, ""), webhook.Page{Limit: 10}, eventID, []string{"e", "bare"})
	e.Data = nil
	for i := range got {
		if got[i].Data != nil {
			t.Errorf("listed event has data %q", got[i].Data)
		}
	}
	same(t, "listed event", got[0].Event, e.Event)
	same(t, "listed bare event", got[1].Event, bare.Event)
}

func eventTypes(t *testing.T, store Store) {
	types := []string{"order", "order.created", "order.created.eu", "orders", "Order", "order_created", "order%", "a.*"}
	for i, typ := range types {
		e := event("acme", typ, afterStart(i))
		e.Type = typ
		create(t, store, e)
	}
	for filter, want := range map[string][]string{
		"":               types,
		"*":              types,
		"order":          {"order"},
		"order*":         {"order", "order.created", "order.created.eu", "orders", "order_created", "order%"},
		"order.*":        {"order.created", "order.created.eu"},
		"order.created":  {"order.created"},
		"order.created*": {"order.created", "order.created.eu"},
		"order_*":        {"order_created"},
		"order%*":        {"order%"},
		"a.*":            {"a.*"},
		"absent":         nil,
		"absent.*":       nil,
	} {
		for _, desc := range []bool{false, true} {
			got := lists(t, "events of "+filter, events(store, t, filter), webhook.Page{Limit: 2, Desc: desc}, eventID, want)
			ordered(t, "events of "+filter, got, desc, eventAccepted)
		}
	}
}

func eventBounds(t *testing.T, store Store) {
	ids := createMany(t, store, 20)
	page := webhook.Page{Limit: 3}
	lists(t, "PageEvents", events(store, t, ""), page, eventID, ids)
	for _, tt := range bounds {
		for _, desc := range []bool{false, true} {
			page := webhook.Page{Limit: 3, Desc: desc, After: tt.after, Before: tt.before}
			got := lists(t, "PageEvents", events(store, t, ""), page, eventID, ids[tt.first:tt.end])
			ordered(t, "PageEvents", got, desc, eventAccepted)
		}
	}
}

// bounds are limits of acceptance and which of 20 entries, accepted at
// afterStart(0) to (19), lie within: first to end, end excluded.
var bounds = []struct {
	after, before time.Time
	first, end    int
}{
	{time.Time{}, time.Time{}, 0, 20},
	{afterStart(4), time.Time{}, 5, 20}, // bounds themselves lie outside
	{time.Time{}, afterStart(4), 0, 4},
	{afterStart(4), afterStart(9), 5, 9},
	{afterStart(4).Add(-1), afterStart(9).Add(1), 4, 10}, // also when finer than a millisecond
	{afterStart(4).Add(1), afterStart(9).Add(-1), 5, 9},
	{afterStart(4).Add(-time.Millisecond), afterStart(9).Add(time.Millisecond), 4, 10},
	{afterStart(9), afterStart(4), 0, 0},
	{afterStart(4), afterStart(4), 0, 0},
	{afterStart(4), afterStart(5), 0, 0},
	{afterStart(19), time.Time{}, 0, 0},
	{time.Time{}, start, 0, 0},
	{time.Unix(0, 0), start.AddDate(50, 0, 0), 0, 20},
	{start.AddDate(-2000, 0, 0), time.Time{}, 0, 20},
}

func eventsOfOneMillisecond(t *testing.T, store Store) {
	ids := numbered("e", 40)
	for _, id := range ids {
		create(t, store, event("acme", id, start))
	}
	for _, desc := range []bool{false, true} {
		lists(t, "PageEvents", events(store, t, ""), webhook.Page{Limit: 3, Desc: desc}, eventID, ids)
	}
}

func eventsDuringWrites(t *testing.T, store Store) {
	ids := createMany(t, store, 60)
	lists(t, "PageEvents", events(store, t, ""), webhook.Page{Limit: 250}, eventID, ids)
	read, done := make(chan struct{}, 1), make(chan error, 1)
	go func() { done <- keepCreating(t, store, read) }()
	pages := func(p webhook.Page) ([]webhook.StoredEvent, string, error) {
		select {
		case read <- struct{}{}:
		default:
		}
		return events(store, t, "")(p)
	}
	few := rounds(4, 12) // from pages of one event to pages of a dozen
	for i := range few {
		entries, err := all(pages, webhook.Page{Limit: 1 + i*12/few, Desc: i%2 == 0})
		check(t, err)
		wantEachOnce(t, entries, eventID, ids)
	}
	close(read)
	check(t, <-done)
}

// keepCreating stores events accepted before, between and after those of
// createMany, one while each page is read: else the list would grow faster
// than small pages can follow.
func keepCreating(t *testing.T, store Store, read chan struct{}) error {
	i := 0
	for range read {
		i++
		e := event("acme", fmt.Sprint("new", i), afterStart(i*7%70-5).Add(time.Second))
		if err := insist(func() error { _, _, err := store.CreateEvent(t.Context(), e); return err }); err != nil {
			return err
		}
	}
	return nil
}

// wantEachOnce reports ids that are not among the entries exactly once.
func wantEachOnce[T any](t *testing.T, entries []T, name func(T) string, ids []string) {
	t.Helper()
	times := map[string]int{}
	for _, e := range entries {
		times[name(e)]++
	}
	for _, id := range ids {
		if times[id] != 1 {
			t.Errorf("%s was listed %d times", id, times[id])
		}
	}
	for id, n := range times {
		if n > 1 {
			t.Errorf("%s was listed %d times", id, n)
		}
	}
}

func noEvents(t *testing.T, store Store) {
	for _, typ := range []string{"", "a", "a*"} {
		got, next, err := store.PageEvents(t.Context(), "nobody", webhook.EventFilter{Type: typ}, webhook.Page{Limit: 10})
		if len(got) > 0 || next != "" || err != nil {
			t.Errorf("events of nobody = %v, %q, %v", got, next, err)
		}
	}
}

func rareType(t *testing.T, store Store) {
	for i := range 3 {
		rare := event("acme", fmt.Sprint("rare", i), afterStart(i*120))
		rare.Type = "rare"
		create(t, store, rare)
	}
	createMany(t, store, 300)
	for _, typ := range []string{"rare", "ra*"} {
		lists(t, "events of "+typ, events(store, t, typ), webhook.Page{Limit: 2, Desc: true}, eventID, []string{"rare0", "rare1", "rare2"})
	}
	long := strings.Repeat("t", 128)
	lists(t, "events of a long type", events(store, t, long), webhook.Page{Limit: 2}, eventID, nil)
}
