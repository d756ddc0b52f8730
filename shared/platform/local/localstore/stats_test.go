package localstore

import (
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

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
	pruneAll(t, store, hour.Add(-time.Minute))
	if all, quiet := count(""), count("quiet"); all != 1 || quiet != 1 {
		t.Errorf("after pruning %d hours of the tenant and %d of the quiet are left, want 1 each", all, quiet)
	}
}
