package storetest

import (
	"testing"
	"time"
)

var lowWaterCases = map[string]func(*testing.T, Store){
	"OnlyRises":     lowWater,
	"RisesInARace":  racingLowWater,
	"IsZeroAtFirst": firstLowWater,
}

func wantLowWater(t *testing.T, store Store, want time.Time) {
	t.Helper()
	if got := must[time.Time](t)(store.LowWater(t.Context())); !got.Equal(want) {
		t.Errorf("LowWater = %v, want %v", got, want)
	}
}

func firstLowWater(t *testing.T, store Store) {
	if got := must[time.Time](t)(store.LowWater(t.Context())); !got.IsZero() {
		t.Errorf("LowWater before the first sweep = %v", got)
	}
}

func lowWater(t *testing.T, store Store) {
	for _, step := range []struct{ to, want int }{{5, 5}, {3, 5}, {5, 5}, {6, 6}, {-100000, 6}, {600000, 600000}} {
		at := func(n int) time.Time { return minute.Add(time.Duration(n) * time.Minute) }
		check(t, store.RaiseLowWater(t.Context(), at(step.to)))
		wantLowWater(t, store, at(step.want))
	}
}

func racingLowWater(t *testing.T, store Store) {
	checkAll(t, race(16, func(i int) error { return store.RaiseLowWater(t.Context(), minute.Add(time.Duration(i)*time.Minute)) }))
	wantLowWater(t, store, minute.Add(15*time.Minute))
}
