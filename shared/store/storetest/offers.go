package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

var offerCases = map[string]func(*testing.T, Store){
	"AreInOrderOfEvents":            offerOrder,
	"ForgiveRepeats":                offerRepeats,
	"AreLeasedByOne":                offerLease,
	"AreReleasedByTheirHolderAlone": offerRelease,
	"OfOneDeliveryAreOneAnAttempt":  offerAttempts,
	"GoWithTheirTenant":             offerPurge,
	"GoWithTheirSubscription":       offerPurgeOfSubscription,
	"BelongToOneSubscription":       offerOwners,
	"ThatNobodyPutCannotBeLeased":   offerAbsent,
}

func offered(sub webhook.SubscriptionRef, n int) []webhook.Offer {
	offers := make([]webhook.Offer, n)
	for i, id := range waiting(sub, n) {
		offers[i] = webhook.Offer{Tenant: sub.Tenant, Subscription: sub.ID, Delivery: id}
	}
	return offers
}

func putOffers(t *testing.T, store Store, offers ...webhook.Offer) {
	t.Helper()
	checkAll(t, race(len(offers), func(i int) error { return store.PutOffer(t.Context(), offers[len(offers)-1-i]) }))
}

// offersOf lists offers until the list has what is wanted: it may lag.
func offersOf(t *testing.T, store Store, sub webhook.SubscriptionRef, limit int, want []webhook.Offer) {
	t.Helper()
	check(t, eventually(func() error {
		got, err := store.Offers(t.Context(), sub, limit)
		if err == nil && !slices.Equal(got, want) {
			err = fmt.Errorf("Offers of %s: got %v, want %v", sub.ID, got, want)
		}
		return err
	}))
}

func holding(o webhook.Offer, token string) webhook.Offer {
	o.Lease, o.LeasedAt, o.Until = token, start, start.Add(30*time.Second)
	return o
}

func offerOrder(t *testing.T, store Store) {
	offers := offered(acme, 20)
	putOffers(t, store, offers...)
	offersOf(t, store, acme, 100, offers)
	offersOf(t, store, acme, 3, offers[:3])
}

func offerRepeats(t *testing.T, store Store) {
	offers := offered(acme, 3)
	putOffers(t, store, offers...)
	held := holding(offers[1], "a")
	same(t, "leased", must[bool](t)(store.LeaseOffer(t.Context(), held)), true)
	putOffers(t, store, offers...) // takes no lease back
	offersOf(t, store, acme, 10, []webhook.Offer{offers[0], held, offers[2]})
	for range 2 {
		check(t, store.DeleteOffers(t.Context(), offers[:2]))
		offersOf(t, store, acme, 10, offers[2:])
	}
	check(t, store.DeleteOffers(t.Context(), nil))
	_, err := store.Offer(t.Context(), offers[0])
	wantError(t, "Offer that was deleted", err, webhook.ErrNotFound)
}

func offerLease(t *testing.T, store Store) {
	o := offered(acme, 1)[0]
	check(t, store.PutOffer(t.Context(), o))
	const takers = 8
	got := make([]bool, takers)
	checkAll(t, race(takers, func(i int) (err error) {
		return insist(func() (err error) {
			got[i], err = store.LeaseOffer(t.Context(), holding(o, string(rune('a'+i))))
			return err
		})
	}))
	holder := -1
	for i, took := range got {
		if took && holder >= 0 {
			t.Fatalf("%d and %d got one offer", holder, i)
		}
		if took {
			holder = i
		}
	}
	if holder < 0 {
		t.Fatal("nobody got the offer, want one of eight")
	}
	same(t, "Offer", must[webhook.Offer](t)(store.Offer(t.Context(), o)), holding(o, string(rune('a'+holder))))
}

func offerRelease(t *testing.T, store Store) {
	o := offered(acme, 1)[0]
	check(t, store.PutOffer(t.Context(), o))
	same(t, "leased", must[bool](t)(store.LeaseOffer(t.Context(), holding(o, "a"))), true)
	check(t, store.ReleaseOffer(t.Context(), holding(o, "b")))
	same(t, "Offer, released by a stranger", must[webhook.Offer](t)(store.Offer(t.Context(), o)), holding(o, "a"))
	check(t, store.ReleaseOffer(t.Context(), holding(o, "a")))
	same(t, "Offer, released", must[webhook.Offer](t)(store.Offer(t.Context(), o)), o)
	same(t, "leased again", must[bool](t)(store.LeaseOffer(t.Context(), holding(o, "b"))), true)
}

func offerAttempts(t *testing.T, store Store) {
	o := offered(acme, 1)[0]
	next, byHand := o, o
	next.Round, next.Step, byHand.Manual = 1, 12, true
	putOffers(t, store, o, next, byHand)
	check(t, store.DeleteOffers(t.Context(), []webhook.Offer{o}))
	for _, left := range []webhook.Offer{next, byHand} {
		same(t, "Offer", must[webhook.Offer](t)(store.Offer(t.Context(), left)), left)
	}
}

func offerAbsent(t *testing.T, store Store) {
	o := offered(acme, 1)[0]
	same(t, "leased", must[bool](t)(store.LeaseOffer(t.Context(), holding(o, "a"))), false)
	check(t, store.ReleaseOffer(t.Context(), holding(o, "a")))
	_, err := store.Offer(t.Context(), o)
	wantError(t, "Offer that nobody put", err, webhook.ErrNotFound)
}

func offerOwners(t *testing.T, store Store) {
	other := webhook.SubscriptionRef{Tenant: "acme", ID: "s#1"}
	mine, others := offered(acme, 2), offered(other, 2)
	putOffers(t, store, append(mine, others...)...)
	offersOf(t, store, acme, 10, mine)
	offersOf(t, store, other, 10, others)
}

func offerPurge(t *testing.T, store Store) {
	must[webhook.Subscription](t)(store.SaveSubscription(t.Context(), subscription("acme", "s"), 0))
	putOffers(t, store, offered(acme, 3)...)
	for range 100 {
		if must[int](t)(store.PurgeTenant(t.Context(), "acme", 100)) == 0 {
			break
		}
	}
	offersOf(t, store, acme, 10, []webhook.Offer{})
}

func offerPurgeOfSubscription(t *testing.T, store Store) {
	putOffers(t, store, offered(acme, 3)...)
	for range 100 {
		if must[int](t)(store.PurgeSubscription(t.Context(), acme, 1, 100)) == 0 {
			break
		}
	}
	offersOf(t, store, acme, 10, []webhook.Offer{})
}
