package simulation_test

import (
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

func TestASeedReplaysItsWorld(t *testing.T) {
	for seed := range uint64(30) {
		first, second := story(t, seed), story(t, seed)
		for i := range min(len(first), len(second)) {
			if first[i] != second[i] {
				t.Fatalf("seed %d, step %d: first %q, then %q", seed, i, first[i], second[i])
			}
		}
		if len(first) != len(second) {
			t.Fatalf("seed %d: %d steps, then %d", seed, len(first), len(second))
		}
	}
}
