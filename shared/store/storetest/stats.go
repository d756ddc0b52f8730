package storetest

import (
	"fmt"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/webhook"
)

var statsCases = map[string]func(*testing.T, Store){
	"AddUpExactlyFromManyWriters": statsSum,
	"AreListedByHour":             statsHours,
	"BelongToOneSubscription":     statsOwners,
	"TakeManyCountsAtOnce":        statsMany,
}

// counted returns counts of an hour after the first.
func counted(tenant, sub string, hour int, counts map[string]int64) webhook.Stats {
	return webhook.Stats{Tenant: tenant, Subscription: sub, Hour: start.Add(time.Duration(hour) * time.Hour), Counts: counts}
}

func addStats(t *testing.T, store Store, s webhook.Stats) {
	t.Helper()
	check(t, insist(func() error { return store.AddStats(t.Context(), s) }))
}

func statsSum(t *testing.T, store Store) {
	const writers, each = 8, 20
	checkAll(t, race(writers, func(i int) error {
		for range each {
			s := counted("acme", "s", 0, map[string]int64{"attempts": 2, "a7": 1, fmt.Sprintf("e%d", i): 3})
			if err := insist(func() error { return store.AddStats(t.Context(), s) }); err != nil {
				return err
			}
		}
		return nil
	}))
	want := map[string]int64{"attempts": 2 * writers * each, "a7": writers * each}
	for i := range writers {
		want[fmt.Sprintf("e%d", i)] = 3 * each
	}
	holds(t, store, "acme", "s", 0, 1, counted("acme", "s", 0, want))
}

func statsOf(t *testing.T, store Store, tenant, sub string, from, before int) []webhook.Stats {
	t.Helper()
	return must[[]webhook.Stats](t)(store.Stats(t.Context(), webhook.SubscriptionRef{Tenant: tenant, ID: sub},
		start.Add(time.Duration(from)*time.Hour), start.Add(time.Duration(before)*time.Hour)))
}

// holds sees that the statistics of these hours are as wanted, as soon as lists
// show it.
func holds(t *testing.T, store Store, tenant, sub string, from, before int, want ...webhook.Stats) {
	t.Helper()
	check(t, eventually(func() error {
		if diff := gocmp.Diff(want, statsOf(t, store, tenant, sub, from, before)); diff != "" {
			return fmt.Errorf("hours %d to %d of %q (-want +got):\n%s", from, before, sub, diff)
		}
		return nil
	}))
}

func statsHours(t *testing.T, store Store) {
	for _, hour := range []int{-1, 9, 0, 12, 10} {
		addStats(t, store, counted("acme", "s", hour, map[string]int64{"attempts": int64(hour + 2)}))
	}
	for _, tt := range []struct {
		from, before int
		want         []int
	}{
		{-1, 13, []int{-1, 0, 9, 10, 12}},
		{0, 12, []int{0, 9, 10}},
		{1, 9, nil},
		{0, 0, nil},
		{12, 500, []int{12}},
	} {
		var want []webhook.Stats
		for _, hour := range tt.want {
			want = append(want, counted("acme", "s", hour, map[string]int64{"attempts": int64(hour + 2)}))
		}
		holds(t, store, "acme", "s", tt.from, tt.before, want...)
	}
}

func statsOwners(t *testing.T, store Store) {
	owners := [][2]string{{"acme", "s"}, {"acme", "s2"}, {"acme", ""}, {"acme2", "s"}, {"acme", "s#x"}}
	for i, o := range owners {
		addStats(t, store, counted(o[0], o[1], 0, map[string]int64{"attempts": int64(i + 1)}))
	}
	for i, o := range owners {
		holds(t, store, o[0], o[1], 0, 1, counted(o[0], o[1], 0, map[string]int64{"attempts": int64(i + 1)}))
	}
}

func statsMany(t *testing.T, store Store) {
	counts := map[string]int64{"succeeded": 1 << 40, "failed_refused_address": 7}
	for i := range 329 {
		counts[fmt.Sprintf("a%d", i)], counts[fmt.Sprintf("e%d", i)] = int64(i+1), 1
	}
	addStats(t, store, counted("acme", "s", 0, counts))
	holds(t, store, "acme", "s", 0, 1, counted("acme", "s", 0, counts))
}
