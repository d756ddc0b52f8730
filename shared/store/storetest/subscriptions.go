package storetest

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

var subscriptionCases = map[string]func(*testing.T, Store){
	"EveryFieldComesBack":                 subscriptionFields,
	"SparseOnesComeBack":                  sparseSubscription,
	"VersionsAreImmutable":                versionsAreImmutable,
	"ExpectationsAreHeld":                 expectations,
	"RacingCreatorsHaveOneWinner":         racingCreators,
	"RacingChangesHaveOneWinner":          racingChanges,
	"RacingDeleteAndChangeHaveOneWinner":  racingDelete,
	"AnIdMadeAnewIsBornAnew":              bornAnew,
	"HeadsAndVersionsComeInOrderAskedFor": inOrderAskedFor,
	"LargeSubscriptionsComeBack":          largeSubscription,
	"ATenantHasNoMoreThanItsQuota":        quota,
	"RacingCreatorsStayWithinTheQuota":    racingQuota,
}

// save stores s as a new version and reports any error.
func save(t *testing.T, store Store, s webhook.Subscription, expect int64) webhook.Subscription {
	t.Helper()
	return must[webhook.Subscription](t)(store.SaveSubscription(t.Context(), s, expect))
}

// head returns the current head of one subscription of acme.
func head(t *testing.T, store Store, id string) webhook.Head {
	t.Helper()
	heads := must[[]webhook.Head](t)(store.Heads(t.Context(), []webhook.SubscriptionRef{{Tenant: "acme", ID: id}}))
	if len(heads) != 1 {
		t.Fatalf("Heads of one subscription = %d heads", len(heads))
	}
	return heads[0]
}

// version returns one immutable version.
func version(t *testing.T, store Store, s webhook.Subscription) webhook.Subscription {
	t.Helper()
	ref := webhook.VersionRef{Tenant: s.Tenant, ID: s.ID, Version: s.Version}
	versions := must[[]webhook.Subscription](t)(store.Versions(t.Context(), []webhook.VersionRef{ref}))
	if len(versions) != 1 {
		t.Fatalf("Versions of one subscription = %d versions", len(versions))
	}
	return versions[0]
}

func subscriptionFields(t *testing.T, store Store) {
	s := save(t, store, subscription("acme", "sub_1"), 0)
	want := subscription("acme", "sub_1")
	want.Version, want.Born = 1, 1
	same(t, "SaveSubscription", s, want)
	same(t, "Versions", version(t, store, s), want)
	same(t, "Heads", head(t, store, "sub_1"), want.Head())
}

func sparseSubscription(t *testing.T, store Store) {
	bare := webhook.Subscription{Tenant: "acme", ID: "s", URL: "https://example.com", Signing: "v1", State: webhook.Active}
	s := save(t, store, bare, 0)
	bare.Version, bare.Born = 1, 1
	got := version(t, store, s)
	same(t, "Versions", got, bare)
	if got.Types != nil || got.Filter != nil || got.Request != nil {
		t.Errorf("absent types, filter, request = %q, %q, %v, want nil", got.Types, got.Filter, got.Request)
	}
	if h := head(t, store, "s"); h.Types != nil || h.Filter != nil {
		t.Errorf("head's absent types, filter = %q, %q, want nil", h.Types, h.Filter)
	}
}

func versionsAreImmutable(t *testing.T, store Store) {
	first := save(t, store, subscription("acme", "s"), 0)
	changed := first
	changed.URL, changed.State, changed.Types, changed.Filter = "https://other.example", webhook.Active, nil, nil
	second := save(t, store, changed, first.Version)
	if second.Version <= first.Version || second.Born != first.Born {
		t.Errorf("version, born = %d, %d after %d, %d", second.Version, second.Born, first.Version, first.Born)
	}
	same(t, "first version", version(t, store, first), first)
	same(t, "second version", version(t, store, second), second)
	same(t, "head", head(t, store, "s"), second.Head())
	check(t, store.DeleteSubscription(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "s"}, second.Version))
	same(t, "first version after deletion", version(t, store, first), first)
	if h := head(t, store, "s"); h.Version != 0 {
		t.Errorf("head after deletion has version %d", h.Version)
	}
}

func expectations(t *testing.T, store Store) {
	ctx, ref := t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "s"}
	_, err := store.SaveSubscription(ctx, subscription("acme", "s"), 7)
	wantError(t, "changing none", err, webhook.ErrNotFound)
	wantError(t, "deleting none", store.DeleteSubscription(ctx, ref, 7), webhook.ErrNotFound)
	s := save(t, store, subscription("acme", "s"), 0)
	_, err = store.SaveSubscription(ctx, s, 0)
	wantError(t, "creating again", err, webhook.ErrExists)
	_, err = store.SaveSubscription(ctx, s, s.Version+1)
	wantError(t, "changing another version", err, webhook.ErrConflict)
	wantError(t, "deleting another version", store.DeleteSubscription(ctx, ref, s.Version+1), webhook.ErrConflict)
	if got := must[int64](t)(store.TenantVersion(ctx, "acme")); got != s.Version {
		t.Errorf("tenant version = %d after refusals, want %d", got, s.Version)
	}
	same(t, "head after refusals", head(t, store, "s"), s.Head())
}

func racingCreators(t *testing.T, store Store) {
	errs := race(16, func(i int) error {
		s := subscription("acme", "s")
		s.Name = fmt.Sprint(i)
		_, err := store.SaveSubscription(t.Context(), s, 0)
		return err
	})
	winner := oneWinner(t, errs, webhook.ErrExists)
	h := head(t, store, "s")
	got := version(t, store, webhook.Subscription{Tenant: "acme", ID: "s", Version: h.Version})
	if got.Name != fmt.Sprint(winner) {
		t.Errorf("caller %d won, %s is stored", winner, got.Name)
	}
}

func racingChanges(t *testing.T, store Store) {
	s := save(t, store, subscription("acme", "s"), 0)
	for range 5 {
		errs := race(16, func(i int) error {
			changed := s
			changed.Name = fmt.Sprint(i)
			_, err := store.SaveSubscription(t.Context(), changed, s.Version)
			return err
		})
		winner := oneWinner(t, errs, webhook.ErrConflict)
		s.Version = head(t, store, "s").Version
		if got := version(t, store, s); got.Name != fmt.Sprint(winner) {
			t.Errorf("caller %d won, %s is stored", winner, got.Name)
		}
	}
	if got := must[int64](t)(store.TenantVersion(t.Context(), "acme")); got != 6 {
		t.Errorf("tenant version = %d after a creation and 5 changes", got)
	}
}

func racingDelete(t *testing.T, store Store) {
	for i := range 10 {
		s := save(t, store, subscription("acme", fmt.Sprint("s", i)), 0)
		errs := race(2, func(i int) error {
			if i == 0 {
				return store.DeleteSubscription(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: s.ID}, s.Version)
			}
			_, err := store.SaveSubscription(t.Context(), s, s.Version)
			return err
		})
		lost := webhook.ErrConflict
		if errs[0] == nil {
			lost = webhook.ErrNotFound
		}
		deleted := oneWinner(t, errs, lost) == 0
		if gone := head(t, store, s.ID).Version == 0; gone != deleted {
			t.Errorf("deletion won: %v, subscription is gone: %v", deleted, gone)
		}
	}
}

func bornAnew(t *testing.T, store Store) {
	seen := map[int64]bool{}
	for range 3 {
		s := save(t, store, subscription("acme", "s"), 0)
		if s.Born != s.Version || seen[s.Born] {
			t.Errorf("created with version %d, born %d, after %v", s.Version, s.Born, seen)
		}
		seen[s.Born] = true
		changed := save(t, store, s, s.Version)
		if changed.Born != s.Born || head(t, store, "s").Born != s.Born || seen[changed.Version] {
			t.Errorf("changed to version %d, born %d, after %v", changed.Version, changed.Born, seen)
		}
		seen[changed.Version] = true
		check(t, store.DeleteSubscription(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "s"}, changed.Version))
	}
}

func inOrderAskedFor(t *testing.T, store Store) {
	ctx := t.Context()
	var heads []webhook.SubscriptionRef
	var versions []webhook.VersionRef
	var wantHeads []webhook.Head
	var wantVersions []webhook.Subscription
	for _, id := range numbered("s", 130) { // more than one batch of DynamoDB
		s := save(t, store, webhook.Subscription{Tenant: "acme", ID: id, State: webhook.Active}, 0)
		absent := webhook.SubscriptionRef{Tenant: "acme", ID: "absent-" + id}
		heads = append(heads, absent, webhook.SubscriptionRef{Tenant: "acme", ID: id})
		wantHeads = append(wantHeads, webhook.Head{}, s.Head())
		versions = append(versions, webhook.VersionRef{Tenant: "acme", ID: id, Version: s.Version})
		wantVersions = append(wantVersions, s)
	}
	heads, wantHeads = append(heads, heads[1]), append(wantHeads, wantHeads[1])
	versions, wantVersions = append(versions, versions[0]), append(wantVersions, wantVersions[0])
	slices.Reverse(heads)
	slices.Reverse(wantHeads)
	slices.Reverse(versions)
	slices.Reverse(wantVersions)
	gotHeads := must[[]webhook.Head](t)(store.Heads(ctx, heads))
	for i, h := range gotHeads {
		if h.Version == 0 {
			gotHeads[i] = webhook.Head{} // an absent one may or may not repeat its name
		}
	}
	same(t, "Heads", gotHeads, wantHeads)
	same(t, "Versions", must[[]webhook.Subscription](t)(store.Versions(ctx, versions)), wantVersions)
	same(t, "no Heads", must[[]webhook.Head](t)(store.Heads(ctx, nil)), []webhook.Head(nil))
	same(t, "no Versions", must[[]webhook.Subscription](t)(store.Versions(ctx, nil)), []webhook.Subscription(nil))
	for _, absent := range []int64{0, 9999, math.MaxInt64} {
		_, err := store.Versions(ctx, append(versions, webhook.VersionRef{Tenant: "acme", ID: "s0000", Version: absent}))
		wantError(t, fmt.Sprintf("version %d", absent), err, webhook.ErrNotFound)
	}
}

func largeSubscription(t *testing.T, store Store) {
	s := subscription("acme", "s")
	s.Metadata, s.Filter = text(60<<10), text(60<<10)
	s.Types = append(s.Types, numbered("a.quite.long.event.type.", 200)...)
	s = save(t, store, s, 0)
	same(t, "Versions", version(t, store, s), s)
	same(t, "Heads", head(t, store, "s"), s.Head())
}
