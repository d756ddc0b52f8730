package storetest

import (
	"testing"

	"github.com/postino/postino/shared/webhook"
)

var expungeCases = map[string]func(*testing.T, Store){
	"RemovesWhatWasPublished":   expungeEvent,
	"RemovesWhatWasMadeOfIt":    expungeParts,
	"OfNothingIsNotFound":       expungeNothing,
	"LeavesAPlanWithItsPagesBe": expungePlan,
}

func expungeEvent(t *testing.T, store Store) {
	e, other := planned(event("acme", "e", start), "a", "b"), planned(event("acme", "e2", start), "a")
	create(t, store, e)
	create(t, store, other)
	for range 2 {
		check(t, store.ExpungeEvent(t.Context(), "acme", e.Source, "e"))
		want := e
		want.Expunged, want.Data, want.Extensions, want.Subject = true, nil, nil, ""
		same(t, "Event once expunged", must[webhook.StoredEvent](t)(store.Event(t.Context(), "acme", e.Source, "e")), want)
	}
	same(t, "another event", must[webhook.StoredEvent](t)(store.Event(t.Context(), "acme", e.Source, "e2")), other)
	stored, created, err := store.CreateEvent(t.Context(), e)
	if err != nil || created || !stored.Expunged || stored.Data != nil {
		t.Errorf("publishing it again stores = %+v, %v, %v, want what is left", stored, created, err)
	}
	got := lists(t, "PageEvents", events(store, t, ""), webhook.Page{Limit: 10}, eventID, []string{"e", "e2"})
	for _, e := range got {
		if e.ID == "e" && (e.Subject != "" || e.Extensions != nil) {
			t.Errorf("listed once expunged: %+v", e)
		}
	}
}

func expungeParts(t *testing.T, store Store) {
	e := planned(event("acme", "e", start), "a", "b")
	create(t, store, e)
	content := webhook.Content{Method: "POST", Body: webhook.Text{Plain: "secret"}}
	var ds []webhook.Delivery
	for _, sub := range []string{"a", "b"} {
		d := owed(e, sub, webhook.Pending)
		for n := 1; n <= 3; n++ {
			d = put(t, store, d, webhook.Parts{Attempt: attempt(n), Content: &content})
		}
		ds = append(ds, d)
	}
	var left, all []webhook.Attempt
	for n := 1; n <= 3; n++ {
		all = append(all, *attempt(n))
		silent := *attempt(n)
		silent.Response = nil
		left = append(left, silent)
	}
	for range 2 {
		check(t, store.ExpungeParts(t.Context(), "acme", ds[0].ID))
		_, err := store.Content(t.Context(), "acme", ds[0].ID)
		wantError(t, "content once expunged", err, webhook.ErrNotFound)
		same(t, "attempts once expunged", must[[]webhook.Attempt](t)(store.Attempts(t.Context(), "acme", ds[0].ID)), left)
	}
	same(t, "the delivery", must[webhook.Delivery](t)(store.Delivery(t.Context(), "acme", ds[0].ID)), ds[0])
	same(t, "another's content", must[webhook.Content](t)(store.Content(t.Context(), "acme", ds[1].ID)), content)
	same(t, "another's attempts", must[[]webhook.Attempt](t)(store.Attempts(t.Context(), "acme", ds[1].ID)), all)
}

func expungeNothing(t *testing.T, store Store) {
	e := event("acme", "e", start)
	wantError(t, "ExpungeEvent of none", store.ExpungeEvent(t.Context(), "acme", e.Source, "e"), webhook.ErrNotFound)
	create(t, store, e)
	wantError(t, "ExpungeEvent of another source", store.ExpungeEvent(t.Context(), "acme", "/else", "e"), webhook.ErrNotFound)
	wantError(t, "ExpungeEvent of another tenant", store.ExpungeEvent(t.Context(), "acme2", e.Source, "e"), webhook.ErrNotFound)
	check(t, store.ExpungeParts(t.Context(), "acme", owed(e, "a", webhook.Pending).ID))
	_, err := store.Delivery(t.Context(), "acme", owed(e, "a", webhook.Pending).ID)
	wantError(t, "a delivery that was not stored", err, webhook.ErrNotFound)
}

func expungePlan(t *testing.T, store Store) {
	e := event("acme", "e", start)
	entries := planned(e, "a", "b").Plan.Entries
	e.Plan = webhook.Plan{Pages: 1, Key: "pages", Total: 2}
	check(t, store.PutPlanPage(t.Context(), "acme", e.Key(), e.Plan.Key, 0, entries))
	create(t, store, e)
	check(t, store.ExpungeEvent(t.Context(), "acme", e.Source, "e"))
	stored := must[webhook.StoredEvent](t)(store.Event(t.Context(), "acme", e.Source, "e"))
	same(t, "its plan", stored.Plan, e.Plan)
	same(t, "its page", must[[]webhook.PlanEntry](t)(store.PlanPage(t.Context(), "acme", e.Key(), "pages", 0)), entries)
}
