package storetest

import (
	"errors"
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
	"NoneLacksItsPartsAtAnyMoment":      partsBeforeDelivery,
	"AttemptsComeByNumber":              attempts,
	"ContentComesBackByteForByte":       contents,
	"ThoseThatAreStoredComeById":        byID,
	"UnknownOnesAreNotFound":            absentDelivery,
	"DeliveriesAreSeenRightAfterSaving": consistentDeliveries,
	"AnswersOfFullSizeComeBack":         fullAnswers,
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
	changed.ID, changed.Occasion, changed.Rev = d.ID, d.Occasion, d.Rev
	changed = put(t, store, changed, webhook.Parts{}) // fields that go back to zero, too
	same(t, "changed Delivery", saved(t, store, changed), changed)
	changed.Last = nil
	changed = put(t, store, changed, webhook.Parts{})
	same(t, "Delivery without attempt", saved(t, store, changed), changed)
}

func sparseDelivery(t *testing.T, store Store) {
	e := event("acme", "e", start)
	d := put(t, store, webhook.Delivery{
		Tenant: "acme", ID: owed(e, "s", webhook.Pending).ID, EventID: e.ID, EventSource: e.Source,
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

func attempts(t *testing.T, store Store) {
	d := owed(event("acme", "e", start), "s", webhook.Pending)
	var want []webhook.Attempt
	same(t, "Attempts of none", must[[]webhook.Attempt](t)(store.Attempts(t.Context(), "acme", d.ID)), want)
	for number := 1; number <= 25; number++ {
		d = put(t, store, d, webhook.Parts{Attempt: attempt(number)})
		want = append(want, *attempt(number))
	}
	same(t, "Attempts", must[[]webhook.Attempt](t)(store.Attempts(t.Context(), "acme", d.ID)), want)
	again := attempt(3)
	again.StatusCode, again.Response, again.Error = 0, nil, webhook.ErrorTimeout
	want[2] = *again
	d = put(t, store, d, webhook.Parts{Attempt: again})
	same(t, "Attempts after a repeat", must[[]webhook.Attempt](t)(store.Attempts(t.Context(), "acme", d.ID)), want)
	other := put(t, store, owed(event("acme", "e2", start), "s", webhook.Pending), webhook.Parts{})
	same(t, "Attempts of another", must[[]webhook.Attempt](t)(store.Attempts(t.Context(), "acme", other.ID)), []webhook.Attempt{})
}

func contents(t *testing.T, store Store) {
	inserts := []webhook.Insert{{At: 1, Secret: "a", Encode: "json"}, {At: 1, Secret: "b"}, {At: 7, Secret: "a", Encode: "query"}}
	for i, c := range []webhook.Content{
		{},
		{Method: "POST", ContentType: "application/json; charset=utf-8", Body: webhook.Text{Plain: ` {"a": 1e400}` + "\n", Inserts: inserts}},
		{Method: "PUT", ContentType: "text/plain", Body: webhook.Text{Plain: "\x00\xff\xfe not UTF-8 \u2028<>&"}},
		{Method: "POST", Body: webhook.Text{Plain: string(text(webhook.MaxBodySize)), Inserts: inserts}},
	} {
		d := owed(event("acme", fmt.Sprint("e", i), start), "s", webhook.Pending)
		d = put(t, store, d, webhook.Parts{})
		_, err := store.Content(t.Context(), "acme", d.ID)
		wantError(t, "content of a delivery without", err, webhook.ErrNotFound)
		d = put(t, store, d, webhook.Parts{Content: &c, Attempt: attempt(1)})
		same(t, "Content", must[webhook.Content](t)(store.Content(t.Context(), "acme", d.ID)), c)
		put(t, store, d, webhook.Parts{Attempt: attempt(2)})
		same(t, "Content after another save", must[webhook.Content](t)(store.Content(t.Context(), "acme", d.ID)), c)
		same(t, "Attempts beside it", must[[]webhook.Attempt](t)(store.Attempts(t.Context(), "acme", d.ID)), []webhook.Attempt{*attempt(1), *attempt(2)})
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

func fullAnswers(t *testing.T, store Store) {
	a := attempt(1)
	a.Response.Body, a.Detail = strings.Repeat("\x01", 4<<10), strings.Repeat("é", 500)
	for i := range 60 {
		a.Response.Headers[fmt.Sprint("x-", i)] = strings.Repeat("v", 100)
	}
	d := owed(event("acme", "e", start), "s", webhook.Succeeded)
	d.Last = a
	d = put(t, store, d, webhook.Parts{Attempt: a})
	same(t, "Delivery", saved(t, store, d), d)
	same(t, "Attempts", must[[]webhook.Attempt](t)(store.Attempts(t.Context(), "acme", d.ID)), []webhook.Attempt{*a})
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

// partsBeforeDelivery reads a delivery and its parts while they are written.
func partsBeforeDelivery(t *testing.T, store Store) {
	d := owed(event("acme", "e", start), "s", webhook.Pending)
	const n = 40
	done := make(chan error, 1)
	go func() { done <- watchParts(t, store, d, n) }()
	for number := 1; number <= n; number++ {
		d.Attempts = number
		parts := webhook.Parts{Attempt: attempt(number)}
		if number == 1 {
			parts.Content = &webhook.Content{Method: "POST", Body: webhook.Text{Plain: string(text(50_000))}}
		}
		d = put(t, store, d, parts)
	}
	check(t, <-done)
}

// watchParts reads until the delivery has n attempts.
func watchParts(t *testing.T, store Store, d webhook.Delivery, n int) error {
	for read := 0; read < n; {
		got, err := store.Delivery(t.Context(), d.Tenant, d.ID)
		if errors.Is(err, webhook.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		read = got.Attempts
		attempts, err := store.Attempts(t.Context(), d.Tenant, d.ID)
		if err != nil || len(attempts) < read {
			return fmt.Errorf("delivery of %d attempts has %d stored, %v", read, len(attempts), err)
		}
		if _, err := store.Content(t.Context(), d.Tenant, d.ID); err != nil {
			return fmt.Errorf("content of a stored delivery: %w", err)
		}
	}
	return nil
}
