package storetest

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

var tenantCases = map[string]func(*testing.T, Store){
	"AreMadeKnownRepeatedly":      ensureTenants,
	"AreFoundOnceTheyAreMade":     findTenants,
	"HaveSubscriptionsOfTheirOwn": isolatedSubscriptions,
	"HaveEventsOfTheirOwn":        isolatedEvents,
	"HaveDeliveriesOfTheirOwn":    isolatedDeliveries,
	"HavePlanPagesOfTheirOwn":     isolatedPlans,
	"ShareNoIdsByLikeNames":       likeTenants,
}

// alike are tenants whose names differ as little as names can.
var alike = []string{"a", "a-", "a_", "aa", "a-b", "postino", "0"}

// ensure makes the tenant known, and wants that it was not, or was.
func ensure(t *testing.T, store Store, tenant string, wantCreated bool) {
	t.Helper()
	if created := must[bool](t)(store.EnsureTenant(t.Context(), tenant)); created != wantCreated {
		t.Errorf("tenant %s was made: %v, want %v", tenant, created, wantCreated)
	}
}

func ensureTenants(t *testing.T, store Store) {
	for _, want := range []int32{1, 0} { // of each tenant's racers
		var made [4]atomic.Int32
		checkAll(t, race(8, func(i int) error {
			created, err := store.EnsureTenant(t.Context(), fmt.Sprint("tenant", i/2))
			if created {
				made[i/2].Add(1)
			}
			return err
		}))
		for i := range made {
			if got := made[i].Load(); got != want {
				t.Errorf("tenant%d was made by %d calls, want %d", i, got, want)
			}
		}
	}
	save(t, store, subscription("tenant0", "s"), 0)
	ensure(t, store, "tenant0", false)
	if got := must[int64](t)(store.TenantVersion(t.Context(), "tenant0")); got != 1 {
		t.Errorf("tenant version after a repeat = %d, want 1", got)
	}
}

// findTenants looks for tenants before, while and after they are there. To look
// for one does not make it.
func findTenants(t *testing.T, store Store) {
	ctx := t.Context()
	for range 2 {
		wantError(t, "a tenant that nobody made", store.FindTenant(ctx, "acme"), webhook.ErrNotFound)
	}
	ensure(t, store, "acme", true)
	check(t, store.FindTenant(ctx, "acme"))
	wantError(t, "one that is named alike", store.FindTenant(ctx, "acm"), webhook.ErrNotFound)
	check(t, store.BeginDeletion(ctx, "acme", start))
	wantError(t, "a tenant that is being deleted", store.FindTenant(ctx, "acme"), webhook.ErrDeleting)
	for must[int](t)(store.PurgeTenant(ctx, "acme", 100)) > 0 {
	}
	check(t, store.EndDeletion(ctx, "acme", nano))
	wantError(t, "a deleted tenant", store.FindTenant(ctx, "acme"), webhook.ErrNotFound)
	ensure(t, store, "acme", true)
	check(t, store.FindTenant(ctx, "acme"))
}

func isolatedSubscriptions(t *testing.T, store Store) {
	ctx := t.Context()
	var refs []webhook.SubscriptionRef
	var want []webhook.Head
	for i, tenant := range alike {
		s := webhook.Subscription{Tenant: tenant, ID: "s", State: webhook.Active}
		for range i + 1 {
			s.Name = tenant
			s = save(t, store, s, s.Version)
		}
		refs, want = append(refs, webhook.SubscriptionRef{Tenant: tenant, ID: "s"}), append(want, s.Head())
	}
	same(t, "Heads", must[[]webhook.Head](t)(store.Heads(ctx, refs)), want)
	for i, tenant := range alike {
		if got := must[int64](t)(store.TenantVersion(ctx, tenant)); got != int64(i+1) {
			t.Errorf("version of %s = %d, want %d", tenant, got, i+1)
		}
		if got := version(t, store, webhook.Subscription{Tenant: tenant, ID: "s", Version: 1}); got.Name != tenant || got.Tenant != tenant {
			t.Errorf("version of %s names %s of %s", tenant, got.Name, got.Tenant)
		}
		same(t, "ListHeads of "+tenant, must[[]webhook.Head](t)(store.ListHeads(ctx, tenant, "", 9)), want[i:i+1])
		same(t, "PageHeads of "+tenant, must[[]webhook.Head](t)(all(heads(store, t, tenant), webhook.Page{Limit: 9})), want[i:i+1])
		_, err := store.Versions(ctx, []webhook.VersionRef{{Tenant: tenant, ID: "s", Version: int64(i + 2)}})
		wantError(t, "another tenant's version", err, webhook.ErrNotFound)
	}
	check(t, store.DeleteSubscription(ctx, refs[0], 1))
	same(t, "Heads after one tenant's deletion", must[[]webhook.Head](t)(store.Heads(ctx, refs[1:])), want[1:])
	if got := must[int64](t)(store.TenantVersion(ctx, alike[1])); got != 2 {
		t.Errorf("version of %s after another's deletion = %d, want 2", alike[1], got)
	}
}

func isolatedEvents(t *testing.T, store Store) {
	all := map[string]webhook.StoredEvent{}
	for _, tenant := range alike {
		e := planned(event(tenant, "e", start), tenant)
		e.Source, e.Data = "shared", json.RawMessage(fmt.Sprintf("%q", tenant))
		create(t, store, e)
		all[tenant] = e
	}
	for tenant, e := range all {
		same(t, "Event of "+tenant, stored(t, store, e), e)
		for _, typ := range []string{"", e.Type, "flight*"} {
			got := lists(t, "PageEvents of "+tenant, eventsOf(store, t, tenant, typ), webhook.Page{Limit: 9}, eventID, []string{"e"})
			if got[0].Tenant != tenant {
				t.Errorf("%s lists an event of %s", tenant, got[0].Tenant)
			}
		}
	}
	_, err := store.Event(t.Context(), "other", "shared", "e")
	wantError(t, "event of a tenant without", err, webhook.ErrNotFound)
}

func isolatedDeliveries(t *testing.T, store Store) {
	id := owed(event("a", "e", start), "s", webhook.Pending).ID
	foreign := func(tenant string) []string {
		return []string{id, owed(event(tenant, "e", start), "s", webhook.Pending).ID}
	}
	e := planned(event("a", "e", start), "s")
	create(t, store, e)
	d := owed(e, "s", webhook.Pending)
	d = put(t, store, d, webhook.Parts{Attempt: attempt(1), Content: &webhook.Content{Method: "POST"}})
	for _, tenant := range alike[1:] {
		_, err := store.Delivery(t.Context(), tenant, id)
		wantError(t, "delivery of "+tenant, err, webhook.ErrNotFound)
		_, err = store.Content(t.Context(), tenant, id)
		wantError(t, "content of "+tenant, err, webhook.ErrNotFound)
		same(t, "attempts of "+tenant, must[[]webhook.Attempt](t)(store.Attempts(t.Context(), tenant, id)), []webhook.Attempt{})
		same(t, "deliveries by id of "+tenant, must[map[string]webhook.Delivery](t)(store.DeliveriesByID(t.Context(), tenant, foreign(tenant))), map[string]webhook.Delivery{})
		for _, f := range filters("s") {
			lists(t, "deliveries of "+tenant, deliveriesOf(store, t, tenant, f), webhook.Page{Limit: 9}, deliveryID, nil)
		}
		stolen := d
		stolen.Tenant = tenant
		wantError(t, "saving as "+tenant, store.SaveDelivery(t.Context(), stolen, webhook.Parts{}), webhook.ErrConflict)
	}
	same(t, "Delivery", saved(t, store, d), d)
}

func isolatedPlans(t *testing.T, store Store) {
	key := webhook.EventKey("s", "e")
	for _, tenant := range alike {
		check(t, store.PutPlanPage(t.Context(), tenant, key, "n", 0, []webhook.PlanEntry{{Subscription: tenant, Version: 1}}))
	}
	for _, tenant := range alike {
		got := must[[]webhook.PlanEntry](t)(store.PlanPage(t.Context(), tenant, key, "n", 0))
		same(t, "page of "+tenant, got, []webhook.PlanEntry{{Subscription: tenant, Version: 1}})
	}
}

// likeTenants saves what is named alike by tenant and subscription together.
func likeTenants(t *testing.T, store Store) {
	for _, ref := range []webhook.SubscriptionRef{{Tenant: "a", ID: "b-c"}, {Tenant: "a-b", ID: "c"}, {Tenant: "a", ID: "b_c"}, {Tenant: "a_b", ID: "c"}, {Tenant: "ab", ID: "c"}, {Tenant: "a", ID: "bc"}} {
		e := planned(event(ref.Tenant, "e", start), ref.ID)
		if _, _, err := store.CreateEvent(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		d := put(t, store, owed(e, ref.ID, webhook.Exhausted), webhook.Parts{Attempt: attempt(1)})
		same(t, "Delivery", saved(t, store, d), d)
		f := webhook.DeliveryFilter{Subscription: ref.ID, Status: webhook.Exhausted}
		lists(t, fmt.Sprintf("deliveries of %v", ref), deliveriesOf(store, t, ref.Tenant, f), webhook.Page{Limit: 9}, deliveryID, []string{d.ID})
	}
}
