package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

var purgeCases = map[string]func(*testing.T, Store){
	"RemovesADeletedLifeAndNoOther": purgeLife,
	"StopsAtItsLimit":               purgeLimit,
	"RemovesATenantAndNoOther":      purgeTenant,
}

// live stores a subscription with n changes and state of a few keys in the
// epoch of its birth, and returns it.
func live(t *testing.T, store Store, tenant, id string, n int) webhook.Subscription {
	t.Helper()
	s := subscription(tenant, id)
	s.TriggerEpoch = 0
	s = must[webhook.Subscription](t)(store.SaveSubscription(t.Context(), s, 0))
	for range n {
		s = must[webhook.Subscription](t)(store.SaveSubscription(t.Context(), s, s.Version))
	}
	for k := range 3 {
		for _, part := range []string{"C", "M#1"} {
			check(t, store.SaveTriggerState(t.Context(), []webhook.StateItem{{StateRef: stateOfLife(s, k, part), Data: []byte("{}")}}))
		}
	}
	return s
}

func stateOfLife(s webhook.Subscription, k int, part string) webhook.StateRef {
	return webhook.StateRef{Tenant: s.Tenant, Subscription: s.ID, Epoch: s.Epoch(), Key: webhook.Hash(20, "key", fmt.Sprint(k)), Part: part}
}

// remains reports how much is stored of a life: versions and parts of state.
func remains(t *testing.T, store Store, s webhook.Subscription) (versions, parts int) {
	t.Helper()
	for v := s.Born; v <= s.Version; v++ {
		_, err := store.Versions(t.Context(), []webhook.VersionRef{{Tenant: s.Tenant, ID: s.ID, Version: v}})
		if err == nil {
			versions++
		} else if !errors.Is(err, webhook.ErrNotFound) {
			t.Fatal(err)
		}
	}
	for k := range 3 {
		parts += len(must[[]webhook.StateItem](t)(store.ListTriggerState(t.Context(), stateOfLife(s, k, ""), 10)))
	}
	return versions, parts
}

func purgeLife(t *testing.T, store Store) {
	dead, other, foreign := live(t, store, "acme", "s", 2), live(t, store, "acme", "s2", 0), live(t, store, "acme2", "s", 0)
	ref := webhook.SubscriptionRef{Tenant: "acme", ID: "s"}
	_, err := store.AddTally(t.Context(), ref, start, webhook.Tally{Attempts: 1, Failed: 1})
	check(t, err)
	check(t, store.DeleteSubscription(t.Context(), ref, dead.Version))
	through := must[int64](t)(store.TenantVersion(t.Context(), "acme"))
	again := live(t, store, "acme", "s", 1)
	removed := 0
	for {
		n := must[int](t)(store.PurgeSubscription(t.Context(), ref, through, 4))
		if removed += n; n == 0 {
			break
		}
	}
	if removed != 3+6 {
		t.Errorf("removed %d, want 3 versions and 6 parts of state", removed)
	}
	if versions, parts := remains(t, store, dead); versions != 0 || parts != 0 {
		t.Errorf("%d versions and %d parts remain of the deleted one", versions, parts)
	}
	for what, s := range map[string]webhook.Subscription{"made anew": again, "other": other, "of another tenant": foreign} {
		versions, parts := remains(t, store, s)
		if want := int(s.Version-s.Born) + 1; versions != want || parts != 6 {
			t.Errorf("%d versions and %d parts remain of the one %s, want %d and 6", versions, parts, what, want)
		}
	}
	if sum := must[webhook.Tally](t)(store.AddTally(t.Context(), ref, start, webhook.Tally{Attempts: 1})); sum.Attempts != 2 {
		t.Errorf("tally of the one made anew = %+v, want it kept", sum)
	}
}

func purgeLimit(t *testing.T, store Store) {
	s := live(t, store, "acme", "s", 0)
	ref := webhook.SubscriptionRef{Tenant: "acme", ID: "s"}
	for _, window := range []time.Time{start, start.Add(time.Minute)} {
		_, err := store.AddTally(t.Context(), ref, window, webhook.Tally{Attempts: 1})
		check(t, err)
	}
	check(t, store.DeleteSubscription(t.Context(), ref, s.Version))
	for want := 9; want > 0; want-- {
		if n := must[int](t)(store.PurgeSubscription(t.Context(), ref, s.Version, 1)); n != 1 {
			t.Errorf("with %d left it removed %d, want 1", want, n)
		}
	}
	if n := must[int](t)(store.PurgeSubscription(t.Context(), ref, s.Version, 1)); n != 0 {
		t.Errorf("at the end it removed %d", n)
	}
}

// inhabited fills a tenant with one of everything.
func inhabited(t *testing.T, store Store, tenant string) (webhook.Subscription, webhook.StoredEvent, webhook.Delivery) {
	t.Helper()
	ctx := t.Context()
	must[bool](t)(store.EnsureTenant(ctx, tenant))
	s, gone := live(t, store, tenant, "s", 1), live(t, store, tenant, "gone", 0)
	check(t, store.DeleteSubscription(ctx, webhook.SubscriptionRef{Tenant: tenant, ID: "gone"}, gone.Version))
	e := planned(event(tenant, "e", afterStart(1)), "s", "gone")
	create(t, store, e)
	check(t, store.PutPlanPage(ctx, tenant, e.Key(), "k", 0, e.Plan.Entries))
	d := owed(e, "s", webhook.Exhausted)
	content := webhook.Content{Method: "POST", Body: webhook.Text{Plain: "b"}}
	for _, d := range []webhook.Delivery{d, owed(e, "gone", webhook.Succeeded)} {
		check(t, store.SaveDelivery(ctx, d, webhook.Parts{Attempt: attempt(1), Content: &content}))
	}
	check(t, store.EnterLine(ctx, webhook.SubscriptionRef{Tenant: tenant, ID: "s"}, d.ID))
	check(t, store.PutKey(ctx, key(tenant, 1)))
	check(t, store.SaveJob(ctx, someJob(tenant, "job_1")))
	check1(t, store, namedSecret(tenant, "n", "x"))
	check(t, store.SaveTriggerState(ctx, []webhook.StateItem{{StateRef: stateOfRequest(tenant), Data: []byte("{}"), Expires: start.AddDate(100, 0, 0)}}))
	_, err := store.PutEventType(ctx, webhook.EventType{Tenant: tenant, Type: "a", UpdatedAt: nano})
	check(t, err)
	for i := range 20 {
		check(t, store.SaveProfile(ctx, profile(tenant, fmt.Sprint("u", i), 1)))
	}
	check(t, store.PutAttributeRule(ctx, webhook.AttributeRule{Tenant: tenant, Name: "a", Spec: []byte("{}")}))
	_, err = store.PutSegment(ctx, webhook.Segment{Tenant: tenant, ID: "a", Filter: []byte("{}")})
	check(t, err)
	return s, e, d
}

// stateOfRequest is what is remembered of a request to publish.
func stateOfRequest(tenant string) webhook.StateRef {
	return webhook.StateRef{Tenant: tenant, Key: webhook.Hash(20, "array", "r"), Part: "DONE"}
}

// deserted reports what is left of what inhabited made.
func deserted(t *testing.T, store Store, s webhook.Subscription, e webhook.StoredEvent, d webhook.Delivery) (left []string) {
	t.Helper()
	ctx, tenant := t.Context(), s.Tenant
	there := func(what string, err error) {
		if err == nil {
			left = append(left, what)
		} else if !errors.Is(err, webhook.ErrNotFound) {
			t.Fatal(err)
		}
	}
	if items := must[[]webhook.StateItem](t)(store.TriggerState(ctx, []webhook.StateRef{stateOfRequest(tenant)})); items[0].Rev > 0 {
		left = append(left, "what is remembered of a request")
	}
	_, err := store.Event(ctx, tenant, e.Source, e.ID)
	there("event", err)
	_, err = store.PlanPage(ctx, tenant, e.Key(), "k", 0)
	there("plan page", err)
	for _, id := range []string{d.ID, owed(e, "gone", "").ID} {
		_, err = store.Delivery(ctx, tenant, id)
		there("delivery", err)
		_, err = store.Content(ctx, tenant, id)
		there("content", err)
		if attempts := must[[]webhook.Attempt](t)(store.Attempts(ctx, tenant, id)); len(attempts) > 0 {
			left = append(left, "attempts")
		}
	}
	_, err = store.Key(ctx, tenant, key(tenant, 1).ID)
	there("key", err)
	_, err = store.Job(ctx, tenant, "job_1")
	there("job", err)
	if versions, parts := remains(t, store, s); versions+parts > 0 {
		left = append(left, "versions or state")
	}
	if len(must[[]webhook.Head](t)(store.ListHeads(ctx, tenant, "", 9))) > 0 {
		left = append(left, "head")
	}
	if len(must[[]string](t)(store.Line(ctx, webhook.SubscriptionRef{Tenant: tenant, ID: "s"}, "", 9))) > 0 {
		left = append(left, "line")
	}
	if len(must[map[string]webhook.NamedSecret](t)(store.Secrets(ctx, tenant, []string{"n"}))) > 0 {
		left = append(left, "secret")
	}
	if len(must[map[string]webhook.EventType](t)(store.EventTypes(ctx, tenant, []string{"a"}))) > 0 {
		left = append(left, "event type")
	}
	if profiles, _, err := store.PageProfiles(ctx, tenant, webhook.Page{Limit: 1}); err != nil || len(profiles) > 0 {
		left = append(left, "profiles")
	}
	if len(must[[]webhook.AttributeRule](t)(store.AttributeRules(ctx, tenant, 1))) > 0 {
		left = append(left, "attribute rule")
	}
	if len(must[[]webhook.Segment](t)(store.Segments(ctx, tenant, 1))) > 0 {
		left = append(left, "segment")
	}
	return left
}

func purgeTenant(t *testing.T, store Store) {
	ctx := t.Context()
	s, e, d := inhabited(t, store, "acme")
	s2, e2, d2 := inhabited(t, store, "acme2")
	all := deserted(t, store, s2, e2, d2)
	wantError(t, "an unknown tenant", store.BeginDeletion(ctx, "none", nano), webhook.ErrNotFound)
	check(t, store.BeginDeletion(ctx, "acme", start))
	check(t, store.BeginDeletion(ctx, "acme", nano)) // a repeat
	before := must[webhook.TenantState](t)(store.TenantState(ctx, "acme"))
	if !before.Began.Equal(start) || !before.Running() || !before.Removes(nano.Add(time.Hour)) {
		t.Errorf("a tenant that is being deleted is %+v", before)
	}
	_, err := store.EnsureTenant(ctx, "acme")
	wantError(t, "use meanwhile", err, webhook.ErrDeleting)
	for calls := 0; must[int](t)(store.PurgeTenant(ctx, "acme", 7)) > 0; calls++ {
		if calls > 1000 {
			t.Fatal("no end")
		}
	}
	check(t, store.EndDeletion(ctx, "acme", nano))
	check(t, store.EndDeletion(ctx, "acme", nano.Add(time.Hour))) // a repeat
	same(t, "left", deserted(t, store, s, e, d), []string(nil))
	same(t, "another tenant has", deserted(t, store, s2, e2, d2), all)
	state := must[webhook.TenantState](t)(store.TenantState(ctx, "acme"))
	if state.Version <= before.Version || state.Running() || !state.Ended.Equal(nano) || !state.Removes(nano) || state.Removes(nano.Add(1)) {
		t.Errorf("after its deletion the tenant is %+v, before %+v", state, before)
	}
	if _, err := store.Changes(ctx, "acme", before.Version, state.Version); !errors.Is(err, webhook.ErrGap) {
		t.Errorf("changes across a deletion: %v, want a gap", err)
	}
	wantTenants(t, store, "acme2")
	ensure(t, store, "acme", true)
	wantTenants(t, store, "acme", "acme2")
	again := must[webhook.Subscription](t)(store.SaveSubscription(ctx, subscription("acme", "s"), 0))
	if again.Version <= state.Version {
		t.Errorf("version %d was there before, want above %d", again.Version, state.Version)
	}
}

func wantTenants(t *testing.T, store Store, want ...string) {
	t.Helper()
	for _, limit := range []int{1, 50} {
		l := func(p webhook.Page) ([]string, string, error) { return store.PageTenants(t.Context(), p) }
		same(t, "tenants", must[[]string](t)(all(l, webhook.Page{Limit: limit})), want)
	}
	for range 2 {
		ensure(t, store, want[0], false)
	}
}
