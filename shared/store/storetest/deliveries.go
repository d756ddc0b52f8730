package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

var deliveryCases = map[string]func(*testing.T, Store){
	"EveryFieldComesBack":               deliveryFields,
	"SparseOnesComeBack":                sparseDelivery,
	"EveryStatusAndWaitingComesBack":    deliveryStatuses,
	"RevisionsAreHeld":                  revisions,
	"RacingFirstWritersHaveOneWinner":   racingFirst,
	"RacingChangesHaveOneWinner":        racingSaves,
	"ThoseThatAreStoredComeById":        byID,
	"UnknownOnesAreNotFound":            absentDelivery,
	"DeliveriesAreSeenRightAfterSaving": consistentDeliveries,
	"OccasionsMakeDeliveriesOfTheirOwn": occasions,
}

// saved returns the stored delivery.
func saved(t *testing.T, store Store, d webhook.Delivery) webhook.Delivery {
	t.Helper()
	return must[webhook.Delivery](t)(store.Delivery(t.Context(), d.Tenant, d.ID))
}

// put saves d and returns it as it is stored then.
func put(t *testing.T, store Store, d webhook.Delivery, with webhook.Parts) webhook.Delivery {
	t.Helper()
	check(t, store.SaveDelivery(t.Context(), d, with))
	d.Rev++
	return d
}

func deliveryFields(t *testing.T, store Store) {
	d := put(t, store, full(event("acme", "e", start), "sub_1"), webhook.Parts{})
	same(t, "Delivery", saved(t, store, d), d)
	changed := owed(event("acme", "e", start), "sub_1", webhook.Succeeded)
	changed.ID, changed.Occasion, changed.Count, changed.Rev = d.ID, d.Occasion, d.Count, d.Rev
	changed = put(t, store, changed, webhook.Parts{}) // fields that go back to zero, too
	same(t, "changed Delivery", saved(t, store, changed), changed)
	changed.Last = nil
	changed = put(t, store, changed, webhook.Parts{})
	same(t, "Delivery without attempt", saved(t, store, changed), changed)
}

func sparseDelivery(t *testing.T, store Store) {
	e := event("acme", "e", start)
	d := put(t, store, webhook.Delivery{
		Tenant: "acme", ID: owed(e, "s", webhook.Pending).ID, EventID: e.ID, EventSource: e.Source, EventType: e.Type,
		Subscription: "s", Version: 1, Status: webhook.Pending, CreatedAt: start,
	}, webhook.Parts{})
	got := saved(t, store, d)
	same(t, "Delivery", got, d)
	if !got.NextAt.IsZero() || !got.EndedAt.IsZero() || !got.WaitingSince.IsZero() || !got.Claim.Until.IsZero() || got.Last != nil {
		t.Errorf("absent times, attempt = %v %v %v %v %v", got.NextAt, got.EndedAt, got.WaitingSince, got.Claim.Until, got.Last)
	}
}

func deliveryStatuses(t *testing.T, store Store) {
	for i, status := range []webhook.Status{webhook.Pending, webhook.Succeeded, webhook.Exhausted, webhook.Canceled} {
		d := put(t, store, owed(event("acme", fmt.Sprint("e", i), start), "s", status), webhook.Parts{})
		same(t, "Delivery", saved(t, store, d), d)
	}
	for _, waiting := range []webhook.Waiting{"", webhook.WaitRetry, webhook.WaitTimer, webhook.WaitPaused, webhook.WaitDisabled, webhook.WaitBreaker, webhook.WaitRateLimit} {
		d := owed(event("acme", "waiting"+string(waiting), start), "s", webhook.Pending)
		d.Waiting = waiting
		d = put(t, store, d, webhook.Parts{})
		same(t, "Delivery", saved(t, store, d), d)
	}
}

func revisions(t *testing.T, store Store) {
	d := owed(event("acme", "e", start), "s", webhook.Pending)
	ahead := d
	ahead.Rev = 1
	wantError(t, "changing none", store.SaveDelivery(t.Context(), ahead, webhook.Parts{}), webhook.ErrConflict)
	_, err := store.Delivery(t.Context(), "acme", d.ID)
	wantError(t, "after a refusal", err, webhook.ErrNotFound)
	d = put(t, store, d, webhook.Parts{})
	for rev := range int64(4) {
		if rev == d.Rev {
			continue
		}
		stale := d
		stale.Rev, stale.Status = rev, webhook.Canceled
		wantError(t, fmt.Sprintf("saving rev %d over %d", rev, d.Rev), store.SaveDelivery(t.Context(), stale, webhook.Parts{}), webhook.ErrConflict)
	}
	same(t, "Delivery after refusals", saved(t, store, d), d)
	for range 5 {
		d = put(t, store, d, webhook.Parts{})
		same(t, "Delivery", saved(t, store, d), d)
	}
}

func racingFirst(t *testing.T, store Store) {
	for round := range 10 {
		d := owed(event("acme", fmt.Sprint("e", round), start), "s", webhook.Pending)
		winner := oneWinner(t, race(16, func(i int) error {
			mine := d
			mine.Claim.Token = fmt.Sprint(i)
			return store.SaveDelivery(t.Context(), mine, webhook.Parts{Attempt: attempt(1)})
		}), webhook.ErrConflict)
		if got := saved(t, store, d); got.Claim.Token != fmt.Sprint(winner) || got.Rev != 1 {
			t.Errorf("caller %d won, that of %s is stored with rev %d", winner, got.Claim.Token, got.Rev)
		}
	}
}

func racingSaves(t *testing.T, store Store) {
	d := put(t, store, owed(event("acme", "e", start), "s", webhook.Pending), webhook.Parts{})
	for range 10 {
		winner := oneWinner(t, race(16, func(i int) error {
			mine := d
			mine.Claim.Token = fmt.Sprint(i)
			return store.SaveDelivery(t.Context(), mine, webhook.Parts{})
		}), webhook.ErrConflict)
		d.Rev++
		if got := saved(t, store, d); got.Claim.Token != fmt.Sprint(winner) || got.Rev != d.Rev {
			t.Errorf("caller %d won, that of %s is stored with rev %d, want %d", winner, got.Claim.Token, got.Rev, d.Rev)
		}
	}
}

func byID(t *testing.T, store Store) {
	var ids []string
	want := map[string]webhook.Delivery{}
	for i, sub := range numbered("s", 130) { // more than one batch of DynamoDB
		d := owed(event("acme", "e", start), sub, webhook.Pending)
		ids = append(ids, d.ID, d.ID)
		if i%3 > 0 {
			want[d.ID] = put(t, store, d, webhook.Parts{})
		}
	}
	ids = append(ids, "", "dlv_", "dlv_"+strings.Repeat("z", 32), "evt_"+strings.Repeat("0", 32), "#", ids[2][:35], ids[2]+"0")
	same(t, "DeliveriesByID", must[map[string]webhook.Delivery](t)(store.DeliveriesByID(t.Context(), "acme", ids)), want)
	same(t, "no DeliveriesByID", must[map[string]webhook.Delivery](t)(store.DeliveriesByID(t.Context(), "acme", nil)), map[string]webhook.Delivery{})
}

func absentDelivery(t *testing.T, store Store) {
	d := put(t, store, owed(event("acme", "e", start), "s", webhook.Pending), webhook.Parts{})
	for _, id := range []string{owed(event("acme", "f", start), "s", webhook.Pending).ID, "", "dlv_", "x", d.ID + "0", d.ID[:35], strings.ToUpper(d.ID), "dlv_" + strings.Repeat("é", 16), "../" + d.ID} {
		_, err := store.Delivery(t.Context(), "acme", id)
		wantError(t, fmt.Sprintf("Delivery(%q)", id), err, webhook.ErrNotFound)
		_, err = store.Content(t.Context(), "acme", id)
		wantError(t, fmt.Sprintf("Content(%q)", id), err, webhook.ErrNotFound)
	}
}

func consistentDeliveries(t *testing.T, store Store) {
	checkAll(t, race(8, func(i int) error {
		d := owed(event("acme", fmt.Sprint("e", i), start), "s", webhook.Pending)
		for rev := range int64(10) {
			d.Rev = rev
			if err := insist(func() error { return store.SaveDelivery(t.Context(), d, webhook.Parts{Attempt: attempt(1)}) }); err != nil {
				return err
			}
			got, err := store.Delivery(t.Context(), "acme", d.ID)
			if err != nil || got.Rev != rev+1 {
				return fmt.Errorf("right after write %d: rev %d, %v", rev+1, got.Rev, err)
			}
			if a, err := store.Attempts(t.Context(), "acme", d.ID); err != nil || len(a) != 1 {
				return fmt.Errorf("right after write %d: %d attempts, %v", rev+1, len(a), err)
			}
		}
		return nil
	}))
}

func occasions(t *testing.T, store Store) {
	e := event("acme", "e", start)
	for _, occasion := range []string{"", "1", "#", "1#", "é"} {
		d := owed(e, "s", webhook.Pending)
		d.Occasion, d.ID = occasion, webhook.DeliveryID("acme", e.Key(), e.AcceptedAt, "s", occasion)
		d = put(t, store, d, webhook.Parts{})
		same(t, "Delivery", saved(t, store, d), d)
	}
}
