package dynamostore_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/platform/aws/dynamostore"
	"github.com/postino/postino/shared/webhook"
)

// apart returns a store whose payloads go after three days.
func apart(t *testing.T) (*dynamostore.Store, func(time.Duration)) {
	t.Helper()
	store, pass := aged(t)
	store.PayloadRetention = 3 * day
	return store, pass
}

func wantData(t *testing.T, store *dynamostore.Store, e webhook.StoredEvent, want bool) {
	t.Helper()
	got, err := store.Event(t.Context(), e.Tenant, e.Source, e.ID)
	do(t, err)
	if !want {
		e.Data = nil
	}
	if diff := cmp.Diff(e, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestDataThatStandsApartGoesBeforeItsEvent(t *testing.T) {
	store, pass := apart(t)
	e := booking("e", 500)
	_, created, err := store.CreateEvent(t.Context(), e)
	if do(t, err); !created {
		t.Error("not created")
	}
	wantData(t, store, e, true)
	other := booking("e", 900)
	other.Nonce = "another publication"
	stored, created, err := store.CreateEvent(t.Context(), other)
	do(t, err)
	if diff := cmp.Diff(e, stored); diff != "" || created {
		t.Errorf("the loser of a race finds (-want +got), created %v:\n%s", created, diff)
	}
	wantData(t, store, e, true)
	wantExpiry(t, "the data", store.Expiry(t.Context()), dynamostore.PayloadKey(e), 3)
	wantExpiry(t, "the event", store.Expiry(t.Context()), dynamostore.EventKey(e), 35)
	pass(3 * day)
	wantData(t, store, e, false)
}

func TestDataThatStandsApartStaysForWhatWaits(t *testing.T) {
	store, pass := apart(t)
	e := booking("e", 500)
	_, _, err := store.CreateEvent(t.Context(), e)
	do(t, err)
	d := failed(e)
	do(t, store.SaveDelivery(t.Context(), d, webhook.Parts{Content: &webhook.Content{Body: webhook.Text{Plain: "{}"}}}))
	wantData(t, store, e, true)
	pass(20 * day)
	wantData(t, store, e, true)
	d.Rev, d.Status, d.EndedAt, d.NextAt = 1, webhook.Exhausted, accepted.Add(20*day), time.Time{}
	do(t, store.SaveDelivery(t.Context(), d, webhook.Parts{}))
	wantExpiry(t, "the body of a delivery that ended", store.Expiry(t.Context()), dynamostore.ContentKey(d), 23)
	wantExpiry(t, "the delivery", store.Expiry(t.Context()), dynamostore.DeliveryKey(d), 50)
	d.Rev, d.Status, d.EndedAt, d.Round, d.NextAt = 2, webhook.Pending, time.Time{}, 1, accepted.Add(20*day)
	do(t, store.SaveDelivery(t.Context(), d, webhook.Parts{}))
	pass(4 * day)
	if _, err := store.Content(t.Context(), d.Tenant, d.ID); err != nil {
		t.Errorf("body of a delivery that is sent again: %v", err)
	}
	kept := booking("kept", 500)
	_, _, err = store.CreateEvent(t.Context(), kept)
	do(t, err)
	do(t, store.KeepEvent(t.Context(), kept.Tenant, kept.Key(), accepted.Add(60*day)))
	pass(30 * day)
	wantData(t, store, kept, true)
}

func TestExpungingTakesDataThatStandsApart(t *testing.T) {
	store, _ := apart(t)
	e := booking("e", 500)
	_, _, err := store.CreateEvent(t.Context(), e)
	do(t, err)
	do(t, store.ExpungeEvent(t.Context(), e.Tenant, e.Source, e.ID))
	got, err := store.Event(t.Context(), e.Tenant, e.Source, e.ID)
	if do(t, err); got.Data != nil || !got.Expunged {
		t.Errorf("event = %+v, want it without data", got)
	}
	if _, exists, err := store.Expiry(t.Context())(dynamostore.PayloadKey(e)); exists || err != nil {
		t.Errorf("its data is there: %v, %v", exists, err)
	}
}
