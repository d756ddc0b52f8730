package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

var positionCases = map[string]func(*testing.T, Store){
	"MadeUpOnesAreNotFound":         madeUpPositions,
	"ForgedOnesArePagesOrRefused":   forgedPositions,
	"OfOtherListsAreNotFound":       foreignPositions,
	"OutliveTheEntryTheyEndedAt":    positionOfDeletedHead,
	"CanBeUsedAgainAndByAnyProcess": positionUsedTwice,
}

// pager asks for one page of some list and returns only the position.
type pager func(webhook.Page) (next string, err error)

func positionOnly[T any](l list[T]) pager {
	return func(p webhook.Page) (string, error) {
		_, next, err := l(p)
		return next, err
	}
}

// pagers are the lists of a tenant by kind of filter.
func pagers(store Store, t *testing.T, tenant string) map[string]pager {
	return map[string]pager{
		"heads":             positionOnly(heads(store, t, tenant)),
		"events":            positionOnly(eventsOf(store, t, tenant, "")),
		"events by type":    positionOnly(eventsOf(store, t, tenant, "flight.booked")),
		"events by prefix":  positionOnly(eventsOf(store, t, tenant, "flight.*")),
		"deliveries":        positionOnly(deliveriesOf(store, t, tenant, webhook.DeliveryFilter{})),
		"deliveries of sub": positionOnly(deliveriesOf(store, t, tenant, webhook.DeliveryFilter{Subscription: "a"})),
		"deliveries by status": positionOnly(deliveriesOf(store, t, tenant,
			webhook.DeliveryFilter{Status: webhook.Pending})),
		"succeeded deliveries": positionOnly(deliveriesOf(store, t, tenant,
			webhook.DeliveryFilter{Status: webhook.Succeeded})),
		"deliveries by both": positionOnly(deliveriesOf(store, t, tenant,
			webhook.DeliveryFilter{Subscription: "a", Status: webhook.Pending})),
	}
}

var madeUp = []string{
	"x", "0", "1", "-1", "AAAA", "null", "{}", "[]", `"`, "#", "%", "/", " ", "\x00", "é", "\xff",
	"eyJhIjoxfQ", "eyJhIjoxfQ==", "dlv_" + strings.Repeat("0", 32), strings.Repeat("A", 64), strings.Repeat("9", 5000),
}

func madeUpPositions(t *testing.T, store Store) {
	owe(t, store, 8, "a")
	subscribe(t, store, 3)
	for name, page := range pagers(store, t, "acme") {
		for _, position := range madeUp {
			_, err := page(webhook.Page{Limit: 2, Position: position})
			wantError(t, fmt.Sprintf("%s from %.20q", name, position), err, webhook.ErrNotFound)
		}
	}
}

// foreignPositions uses each list's position in each other list, also of
// another tenant.
func foreignPositions(t *testing.T, store Store) {
	owe(t, store, 12, "a")
	subscribe(t, store, 3)
	own, other := pagers(store, t, "acme"), pagers(store, t, "other")
	for name, page := range own {
		next := firstPosition(t, name, page)
		for list, page := range own {
			if list != name {
				_, err := page(webhook.Page{Limit: 1, Position: next})
				wantError(t, fmt.Sprintf("%s from a position in %s", list, name), err, webhook.ErrNotFound)
			}
		}
		_, err := other[name](webhook.Page{Limit: 1, Position: next})
		wantError(t, "another tenant's "+name, err, webhook.ErrNotFound)
		cut := next[:len(next)-1]
		if _, err := page(webhook.Page{Limit: 1, Position: cut}); err != nil {
			wantError(t, name+" from half a position", err, webhook.ErrNotFound)
		}
	}
}

// firstPosition returns where a list goes on after its first entry.
func firstPosition(t *testing.T, name string, page pager) (next string) {
	t.Helper()
	check(t, eventually(func() (err error) {
		if next, err = page(webhook.Page{Limit: 1}); err == nil && next == "" {
			err = fmt.Errorf("%s end after one entry", name)
		}
		return err
	}))
	return next
}

func positionOfDeletedHead(t *testing.T, store Store) {
	made := subscribe(t, store, 6)
	got, next, err := store.PageHeads(t.Context(), "acme", webhook.Page{Limit: 3})
	check(t, err)
	last := got[len(got)-1]
	check(t, store.DeleteSubscription(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: last.ID}, last.Version))
	rest := must[[]webhook.Head](t)(all(heads(store, t, "acme"), webhook.Page{Limit: 3, Position: next}))
	same(t, "heads after the deleted one", rest, made[len(got):])
}

func positionUsedTwice(t *testing.T, store Store) {
	ids := createMany(t, store, 9)
	l := events(store, t, "")
	lists(t, "PageEvents", l, webhook.Page{Limit: 4}, eventID, ids)
	got, next, err := l(webhook.Page{Limit: 4})
	check(t, err)
	for range 2 {
		rest := must[[]webhook.StoredEvent](t)(all(l, webhook.Page{Limit: 4, Position: next}))
		names := sortedNames(slices.Concat(got, rest), eventID)
		same(t, "events from one position", names, ids)
	}
}
