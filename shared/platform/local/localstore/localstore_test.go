package localstore

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

// open returns an empty store in a folder of its own.
func open(t testing.TB) *Store {
	t.Helper()
	store, _ := openIn(t, t.TempDir())
	return store
}

// openIn returns the store of a folder, and what closes it.
func openIn(t testing.TB, dir string) (store *Store, closeDB func()) {
	t.Helper()
	db, err := localdb.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	closeDB = func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(closeDB)
	if store, err = New(db); err != nil {
		t.Fatal(err)
	}
	return store, closeDB
}

func TestItKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t) })
}

func TestWhatIsStoredOutlivesTheProcess(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	store, closeDB := openIn(t, dir)
	e, d := benchEvent(1), benchDelivery(1)
	if _, _, err := store.CreateEvent(ctx, e); err != nil {
		t.Fatal(err)
	}
	if err := store.SaveDelivery(ctx, d, webhook.Parts{}); err != nil {
		t.Fatal(err)
	}
	sub, err := store.SaveSubscription(ctx, webhook.Subscription{Tenant: "acme", ID: "s"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	closeDB()
	store, _ = openIn(t, dir)
	gotEvent, err := store.Event(ctx, "acme", e.Source, e.ID)
	if diff := cmp.Diff(e, gotEvent); diff != "" || err != nil {
		t.Errorf("event: %v (-want +got):\n%s", err, diff)
	}
	d.Rev = 1
	gotDelivery, err := store.Delivery(ctx, "acme", d.ID)
	if diff := cmp.Diff(d, gotDelivery); diff != "" || err != nil {
		t.Errorf("delivery: %v (-want +got):\n%s", err, diff)
	}
	heads, err := store.Heads(ctx, []webhook.SubscriptionRef{{Tenant: "acme", ID: "s"}})
	if diff := cmp.Diff([]webhook.Head{sub.Head()}, heads); diff != "" || err != nil {
		t.Errorf("head: %v (-want +got):\n%s", err, diff)
	}
}

func TestALosersPartsAreNotStored(t *testing.T) {
	store, d := open(t), benchDelivery(1)
	first, second := webhook.Attempt{Number: 1, StatusCode: 200}, webhook.Attempt{Number: 1, StatusCode: 500}
	if err := store.SaveDelivery(t.Context(), d, webhook.Parts{Attempt: &first}); err != nil {
		t.Fatal(err)
	}
	err := store.SaveDelivery(t.Context(), d, webhook.Parts{Attempt: &second, Content: &webhook.Content{}})
	if !errors.Is(err, webhook.ErrConflict) {
		t.Errorf("second writer: error = %v, want %v", err, webhook.ErrConflict)
	}
	attempts, err := store.Attempts(t.Context(), "acme", d.ID)
	if diff := cmp.Diff([]webhook.Attempt{first}, attempts); diff != "" || err != nil {
		t.Errorf("attempts: %v (-want +got):\n%s", err, diff)
	}
	if _, err := store.Content(t.Context(), "acme", d.ID); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("content: error = %v, want %v", err, webhook.ErrNotFound)
	}
}
