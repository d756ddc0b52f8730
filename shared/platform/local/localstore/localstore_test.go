package localstore

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/platform/local/engine"
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
	db, err := engine.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	closeDB = func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(closeDB)
	return In(db), closeDB
}

func TestItKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t) })
}

var epoch = time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsStoredOutlivesTheProcess(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	store, closeDB := openIn(t, dir)
	e := webhook.StoredEvent{
		Event: webhook.Event{Tenant: "acme", ID: "evt_1", Source: "/a", Type: "a.b", Time: epoch, AcceptedAt: epoch, Nonce: "n", Data: json.RawMessage(`{"a":1}`)},
		Plan:  webhook.Plan{Entries: []webhook.PlanEntry{{Subscription: "s", Version: 1}}, Total: 1},
	}
	d := webhook.Delivery{
		Tenant: "acme", ID: webhook.DeliveryID("acme", e.Key(), e.AcceptedAt, "s", ""), EventID: e.ID, EventSource: e.Source, Subscription: "s", Version: 1,
		Status: webhook.Succeeded, Attempts: 1, CreatedAt: epoch, EndedAt: epoch, Last: &webhook.Attempt{Number: 1, StartedAt: epoch, StatusCode: 200},
	}
	_, _, err := store.CreateEvent(ctx, e)
	must(t, err)
	must(t, store.SaveDelivery(ctx, d, webhook.Parts{}))
	sub, err := store.SaveSubscription(ctx, webhook.Subscription{Tenant: "acme", ID: "s"}, 0)
	must(t, err)
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

// TestHoursOfLongAgoGo: what expires goes in the passes that remove deliveries and
// events.
func TestHoursOfLongAgoGo(t *testing.T) {
	const keptStats = 75 * 24 * time.Hour
	store, hour := open(t), epoch.Truncate(time.Hour)
	add := func(sub string, at time.Time) {
		must(t, store.AddStats(t.Context(), webhook.Stats{Tenant: "acme", Subscription: sub, Hour: at, Counts: map[string]int64{"attempts": 1}}))
	}
	count := func(sub string) int {
		hours, err := store.Stats(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: sub}, time.Unix(0, 0), hour.Add(time.Hour))
		must(t, err)
		return len(hours)
	}
	for _, sub := range []string{"", "quiet"} {
		add(sub, hour.Add(-keptStats-time.Hour))
		add(sub, hour.Add(-keptStats))
	}
	if all, quiet := count(""), count("quiet"); all != 2 || quiet != 2 {
		t.Errorf("%d hours of the tenant and %d of the quiet are there, want 2 each", all, quiet)
	}
	for more := true; more; {
		var err error
		more, err = store.Prune(t.Context(), hour.Add(-time.Minute), webhook.DefaultRetention)
		must(t, err)
	}
	if all, quiet := count(""), count("quiet"); all != 1 || quiet != 1 {
		t.Errorf("after pruning %d hours of the tenant and %d of the quiet are left, want 1 each", all, quiet)
	}
}
