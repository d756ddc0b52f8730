package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

var healthCases = map[string]func(*testing.T, Store){
	"StandsInTheHead":             healthInHead,
	"IsExpectedAsItWasRead":       healthExpectations,
	"BeginsAfreshWithEachVersion": healthOfVersion,
	"HasOneWinnerInARace":         racingHealth,
}

var tallyCases = map[string]func(*testing.T, Store){
	"AreSummedByWindow":        talliesByWindow,
	"CountEveryoneWhoAddsToIt": racingTallies,
}

var reservationCases = map[string]func(*testing.T, Store){
	"FollowOneAnother":         reservationsFollow,
	"StopAtTheLatestTime":      reservationsStop,
	"AreForOneSubscription":    reservationOwners,
	"NeverOverlapWhenTheyRace": racingReservations,
}

// ill is a health with every field set.
func ill() webhook.Health {
	return webhook.Health{
		FailingSince: nano, FailedAt: nano.Add(time.Hour),
		Breaker: webhook.Breaker{Since: nano.Add(time.Minute), Probes: 7, Passed: 2, ProbeAt: nano.Add(2 * time.Minute)},
	}
}

func refOf(s webhook.Subscription) webhook.VersionRef {
	return webhook.VersionRef{Tenant: s.Tenant, ID: s.ID, Version: s.Version}
}

func healthInHead(t *testing.T, store Store) {
	s := save(t, store, subscription("acme", "s"), 0)
	save(t, store, subscription("acme", "t"), 0)
	check(t, store.SaveHealth(t.Context(), refOf(s), ill()))
	want := s.Head()
	want.Health = ill()
	want.Health.Rev = 1
	same(t, "Heads", head(t, store, "s"), want)
	listed := must[[]webhook.Head](t)(store.ListHeads(t.Context(), "acme", "", 1))
	same(t, "ListHeads", listed, []webhook.Head{want})
	same(t, "another's health", head(t, store, "t").Health, webhook.Health{})
	check(t, store.SaveHealth(t.Context(), refOf(s), webhook.Health{Rev: 1}))
	same(t, "health that is well again", head(t, store, "s").Health, webhook.Health{Rev: 2})
}

func healthExpectations(t *testing.T, store Store) {
	s := save(t, store, subscription("acme", "s"), 0)
	for _, tt := range []struct {
		what    string
		id      string
		version int64
		rev     int64
		want    error
	}{
		{"of nobody", "none", s.Version, 0, webhook.ErrConflict},
		{"of another version", "s", s.Version + 1, 0, webhook.ErrConflict},
		{"with a later rev", "s", s.Version, 1, webhook.ErrConflict},
		{"first", "s", s.Version, 0, nil},
		{"first again", "s", s.Version, 0, webhook.ErrConflict},
		{"second", "s", s.Version, 1, nil},
	} {
		h := ill()
		h.Rev = tt.rev
		err := store.SaveHealth(t.Context(), webhook.VersionRef{Tenant: "acme", ID: tt.id, Version: tt.version}, h)
		wantError(t, "health "+tt.what, err, tt.want)
	}
	same(t, "Rev", head(t, store, "s").Health.Rev, int64(2))
	same(t, "version of nobody", head(t, store, "none").Version, int64(0))
}

func healthOfVersion(t *testing.T, store Store) {
	first := save(t, store, subscription("acme", "s"), 0)
	check(t, store.SaveHealth(t.Context(), refOf(first), ill()))
	second := save(t, store, first, first.Version)
	same(t, "a new version's head", head(t, store, "s"), second.Head())
	wantError(t, "health of the version before", store.SaveHealth(t.Context(), refOf(first), webhook.Health{Rev: 1}), webhook.ErrConflict)
	check(t, store.SaveHealth(t.Context(), refOf(second), ill()))
	same(t, "Rev", head(t, store, "s").Health.Rev, int64(1))
	check(t, store.DeleteSubscription(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "s"}, second.Version))
	wantError(t, "health of what is deleted", store.SaveHealth(t.Context(), refOf(second), webhook.Health{Rev: 1}), webhook.ErrConflict)
	same(t, "version of what is deleted", head(t, store, "s").Version, int64(0))
}

func racingHealth(t *testing.T, store Store) {
	s := save(t, store, subscription("acme", "s"), 0)
	errs := race(12, func(i int) error {
		h := ill()
		h.Breaker.Probes = i
		return store.SaveHealth(t.Context(), refOf(s), h)
	})
	winner := oneWinner(t, errs, webhook.ErrConflict)
	same(t, "the winner's probes", head(t, store, "s").Health.Breaker.Probes, winner)
}

// tally adds to acme's window that begins at a second after start.
func tally(t *testing.T, store Store, sub webhook.SubscriptionRef, window, attempts, failed int) webhook.Tally {
	t.Helper()
	at := start.Add(time.Duration(window) * time.Second)
	return must[webhook.Tally](t)(store.AddTally(t.Context(), sub, at, webhook.Tally{Attempts: attempts, Failed: failed}))
}

func talliesByWindow(t *testing.T, store Store) {
	same(t, "first", tally(t, store, acme, 0, 3, 2), webhook.Tally{Attempts: 3, Failed: 2})
	same(t, "second", tally(t, store, acme, 0, 4, 0), webhook.Tally{Attempts: 7, Failed: 2})
	same(t, "next window", tally(t, store, acme, 30, 1, 1), webhook.Tally{Attempts: 1, Failed: 1})
	same(t, "late addition", tally(t, store, acme, 0, 1, 1), webhook.Tally{Attempts: 8, Failed: 3})
	other := webhook.SubscriptionRef{Tenant: "other", ID: acme.ID}
	same(t, "another tenant", tally(t, store, other, 0, 5, 5), webhook.Tally{Attempts: 5, Failed: 5})
	same(t, "a day later", tally(t, store, acme, 86400, 1, 0), webhook.Tally{Attempts: 1})
}

func racingTallies(t *testing.T, store Store) {
	checkAll(t, race(16, func(int) error {
		_, err := store.AddTally(t.Context(), acme, start, webhook.Tally{Attempts: 2, Failed: 1})
		return err
	}))
	same(t, "sum", tally(t, store, acme, 0, 0, 0), webhook.Tally{Attempts: 32, Failed: 16})
}

// wantReserved reserves at second now, and wants it to begin at second begin.
func wantReserved(t *testing.T, store Store, now, latest, length, begin int, taken bool) {
	t.Helper()
	got, ok, err := store.Reserve(t.Context(), acme, second(now), second(latest), time.Duration(length)*time.Second)
	check(t, err)
	if !got.Equal(second(begin)) || ok != taken {
		t.Errorf("%d s reserved at %d until %d: from %v, %v, want %v, %v", length, now, latest, got.Sub(nano), ok, begin, taken)
	}
}

func reservationsFollow(t *testing.T, store Store) {
	wantReserved(t, store, 0, 60, 2, 0, true)
	wantReserved(t, store, 0, 60, 3, 2, true)
	wantReserved(t, store, 4, 60, 1, 5, true)
	wantReserved(t, store, 6, 60, 1, 6, true) // just when the last one ends
	wantReserved(t, store, 20, 60, 1, 20, true)
	wantReserved(t, store, 19, 60, 1, 21, true) // a clock behind
}

func reservationsStop(t *testing.T, store Store) {
	wantReserved(t, store, 0, 10, 20, 0, true)
	wantReserved(t, store, 1, 10, 1, 20, false)
	wantReserved(t, store, 10, 20, 1, 20, true)
	wantReserved(t, store, 10, 20, 1, 21, false)
	wantReserved(t, store, 30, 40, 1, 30, true)
}

func reservationOwners(t *testing.T, store Store) {
	wantReserved(t, store, 0, 10, 20, 0, true)
	for _, other := range []webhook.SubscriptionRef{{Tenant: "acme", ID: "t"}, {Tenant: "other", ID: "s"}} {
		begin, taken, err := store.Reserve(t.Context(), other, second(1), second(2), time.Second)
		check(t, err)
		if !taken || !begin.Equal(second(1)) {
			t.Errorf("%v begins at %v, %v, after what another reserved", other, begin, taken)
		}
	}
}

func racingReservations(t *testing.T, store Store) {
	const n = 24
	begins := make([]time.Time, n)
	checkAll(t, race(n, func(i int) (err error) {
		taken := false
		begins[i], taken, err = store.Reserve(t.Context(), acme, second(0), second(n), time.Second)
		if err == nil && !taken {
			err = fmt.Errorf("reservation %d was refused", i)
		}
		return err
	}))
	seen := map[int]bool{}
	for _, b := range begins {
		seen[int(b.Sub(second(0))/time.Second)] = true
	}
	if len(seen) != n {
		t.Errorf("%d callers got %d different seconds", n, len(seen))
	}
}
