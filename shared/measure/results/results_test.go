package results_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/measure/results"
	"github.com/postino/postino/shared/store/noun"
	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

var (
	epoch  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	spring = webhook.ResultsOf{Tenant: "acme", Campaign: "spring"}
)

func recorder(store results.Store) *results.Recorder {
	return &results.Recorder{Store: store, Now: func() time.Time { return epoch }, Log: slog.New(slog.DiscardHandler)}
}

func TestCountsAndPeopleOfManyProcessesAddUp(t *testing.T) {
	store := noun.In(new(table.Memory))
	var all sync.WaitGroup
	const processes, people = 4, 20_000
	for p := range processes {
		r := recorder(store)
		all.Go(func() {
			for i := range people { // everybody is seen by two processes
				if i%2 == p%2 {
					r.Count("acme", "spring", "a", fmt.Sprint("user-", i), webhook.ResultSent, 1)
				}
				if i%5000 == 0 {
					r.Close(t.Context())
				}
			}
			r.Close(t.Context())
		})
	}
	all.Wait()
	for _, of := range []webhook.ResultsOf{spring, {Tenant: "acme", Subscription: "a"}} {
		for _, daily := range []bool{false, true} {
			rows, err := store.Results(t.Context(), of, epoch.Truncate(24*time.Hour), epoch.Add(time.Hour), daily)
			if err != nil || len(rows) != 1 || rows[0].Counts[webhook.ResultSent] != processes*people/2 {
				t.Errorf("of %v, daily %t: %v (%v), want %d sent", of, daily, rows, err, processes*people/2)
			}
		}
		sketches, err := store.Sketches(t.Context(), of, webhook.ResultSent, epoch.Truncate(24*time.Hour), epoch.Add(time.Hour))
		if err != nil || len(sketches) != 1 || len(sketches[0].Data) > 8<<10 {
			t.Fatalf("%d sketches (%v), want one of at most 8 KiB", len(sketches), err)
		}
		if n, err := results.People(sketches); err != nil || math.Abs(float64(n)/people-1) > 0.06 {
			t.Errorf("%d people (%v), want about %d", n, err, people)
		}
	}
}

func TestSketchesOfDaysHaveEverybodyOnce(t *testing.T) {
	store := noun.In(new(table.Memory))
	for day := range 3 {
		r := recorder(store)
		r.Now = func() time.Time { return epoch.AddDate(0, 0, day) }
		for i := range 500 {
			r.Count("acme", "spring", "", fmt.Sprint("user-", i+day*100), webhook.ResultMatched, 1)
		}
		r.Close(t.Context())
	}
	sketches, err := store.Sketches(t.Context(), spring, webhook.ResultMatched, epoch.Truncate(24*time.Hour), epoch.AddDate(0, 0, 9))
	if err != nil || len(sketches) != 3 {
		t.Fatalf("%d sketches (%v), want 3", len(sketches), err)
	}
	if n, err := results.People(sketches); err != nil || math.Abs(float64(n)/700-1) > 0.06 {
		t.Errorf("%d people (%v), want about 700", n, err)
	}
}

func TestNothingIsCountedWithoutACampaign(t *testing.T) {
	var none *results.Recorder
	none.Count("acme", "spring", "a", "u", webhook.ResultSent, 1)
	none.Close(context.Background())
	r := recorder(nil)
	r.Count("acme", "", "a", "u", webhook.ResultSent, 1)
	r.Close(t.Context()) // writes nothing, or would panic
}

func TestATenantTakesHalfOfTheMemoryForResults(t *testing.T) {
	store := noun.In(new(table.Memory))
	r := recorder(store)
	for i := range 5_000 {
		r.Count("hostile", fmt.Sprint("c", i), "", "u", webhook.ResultSent, 1)
	}
	r.Count("acme", "spring", "", "u", webhook.ResultSent, 1)
	r.Close(t.Context())
	rows, err := store.Results(t.Context(), spring, epoch, epoch.Add(time.Hour), false)
	if err != nil || len(rows) != 1 {
		t.Errorf("results of another tenant: %v (%v), want one hour", rows, err)
	}
	if rows, err := store.Results(t.Context(), webhook.ResultsOf{Tenant: "hostile", Campaign: "c1000"}, epoch, epoch.Add(time.Hour), false); err != nil || len(rows) != 0 {
		t.Errorf("the thousand and first campaign of a tenant: %v (%v), want nothing", rows, err)
	}
}

// TestTheLiftIsThatOfThePapers compares with the examples in R. G. Newcombe,
// Interval estimation for the difference between independent proportions, Statistics
// in Medicine 17 (1998), table II, method 10.
func TestTheLiftIsThatOfThePapers(t *testing.T) {
	for _, tt := range []struct {
		sent, held      results.Group
		diff, low, high float64
	}{
		{results.Group{Of: 70, Converted: 56}, results.Group{Of: 80, Converted: 48}, 0.2, 0.0524, 0.3339},
		{results.Group{Of: 10, Converted: 9}, results.Group{Of: 10, Converted: 3}, 0.6, 0.1705, 0.8090},
		{results.Group{Of: 7, Converted: 6}, results.Group{Of: 7, Converted: 2}, 0.5714, 0.0582, 0.8062},
		{results.Group{Of: 56, Converted: 5}, results.Group{Of: 29, Converted: 0}, 0.0893, -0.0381, 0.1926},
		{results.Group{Of: 10, Converted: 0}, results.Group{Of: 10, Converted: 0}, 0, -0.2775, 0.2775},
		{results.Group{Of: 10, Converted: 10}, results.Group{Of: 20, Converted: 0}, 1, 0.6791, 1},
	} {
		l, ok := results.LiftOf(tt.sent, tt.held)
		near := func(got, want float64) bool { return math.Abs(got-want) < 0.00006 }
		if !ok || !near(l.Difference, tt.diff) || !near(l.Low, tt.low) || !near(l.High, tt.high) {
			t.Errorf("%v against %v: %.4f from %.4f to %.4f, want %.4f from %.4f to %.4f", tt.sent, tt.held, l.Difference, l.Low, l.High, tt.diff, tt.low, tt.high)
		}
	}
	// 15 of 100 against 10 of 100: ln 1.5 ± 1.96 √(1/15 − 1/100 + 1/10 − 1/100).
	l, _ := results.LiftOf(results.Group{Of: 100, Converted: 15}, results.Group{Of: 100, Converted: 10})
	half := 1.959964 * math.Sqrt(1.0/15-0.01+0.1-0.01)
	if r := l.Relative; r == nil || math.Abs(r.Lift-0.5) > 1e-9 || math.Abs(r.Low-(1.5*math.Exp(-half)-1)) > 1e-6 || math.Abs(r.High-(1.5*math.Exp(half)-1)) > 1e-6 {
		t.Errorf("relative %+v", r)
	}
	if _, ok := results.LiftOf(results.Group{Of: 5, Converted: 1}, results.Group{}); ok {
		t.Error("a lift without anybody held out")
	}
}
