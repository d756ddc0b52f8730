package simulation_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A simulation that finds nothing proves something only if it finds what is
// there.
func TestPlantedBugsAreFound(t *testing.T) {
	for plant, says := range bugs {
		t.Run(string(plant), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(few) {
				trouble := live(t, seed, plant)
				if i := slices.IndexFunc(trouble, func(text string) bool { return strings.Contains(text, says) }); i >= 0 {
					t.Logf("found: %.300s", trouble[i])
					return
				}
			}
			t.Errorf("not found within %d seeds", few)
		})
	}
}

// Goroutines of one process run in turn here, because two of them may ask for
// a rate limit's lane at the same time, and then the first to run is the first
// to be served. The runtime interrupts a goroutine once in thousands of plays.
// So a third play decides when two differ.
func TestASeedReplaysItsWorld(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for seed := range uint64(30) {
		first, second := story(t, seed), story(t, seed)
		if slices.Equal(first, second) {
			continue
		}
		if third := story(t, seed); !slices.Equal(third, first) && !slices.Equal(third, second) {
			t.Fatalf("seed %d: %s", seed, parting(first, second))
		}
	}
}

// parting tells where two stories part.
func parting(first, second []string) string {
	for i := range min(len(first), len(second)) {
		if first[i] != second[i] {
			return fmt.Sprintf("step %d: first %q, then %q", i, first[i], second[i])
		}
	}
	return fmt.Sprintf("%d steps, then %d", len(first), len(second))
}
