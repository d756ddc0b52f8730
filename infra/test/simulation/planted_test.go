package simulation_test

import "testing"

// A simulation that finds nothing proves something only if it finds what is
// there.
func TestPlantedBugsAreFound(t *testing.T) {
	const within = 1000 // seeds
	for _, plant := range []bug{ackBeforeEnqueue, dedupeIsDone, deleteBeforeQueue} {
		t.Run(string(plant), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(within) {
				if trouble := live(t, seed, plant); len(trouble) > 0 {
					t.Logf("found: %s", trouble[0])
					return
				}
			}
			t.Errorf("not found within %d seeds", within)
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
