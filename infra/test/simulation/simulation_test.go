package simulation_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
)

// live plays one seed and returns what is wrong with it.
func live(t *testing.T, seed uint64, plant bug) (trouble []string) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(seed, plant)
		if os.Getenv("POSTINO_SEED") != "" {
			w.story = []string{}
		}
		w.live()
		if len(w.trouble) > 0 {
			for _, line := range w.story {
				t.Log(line)
			}
		}
		for _, text := range w.trouble {
			trouble = append(trouble, fmt.Sprintf("seed %d: %s", seed, text))
		}
	})
	return trouble
}

// story tells all calls of a world, in order.
func story(t *testing.T, seed uint64) (told []string) {
	synctest.Test(t, func(*testing.T) {
		w := newWorld(seed, noBug)
		w.story = []string{}
		w.live()
		told = w.story
	})
	return told
}

// few worlds find each planted bug; see TestPlantedBugsAreFound.
const few = 1000

func TestEveryWorldDeliversWhatItAccepted(t *testing.T) {
	first, n := uint64(0), few
	if os.Getenv("POSTINO_PROVE") != "" {
		n = 100_000
	}
	if text := os.Getenv("POSTINO_WORLDS"); text != "" {
		if _, err := fmt.Sscanf(text, "%d-%d", &first, &n); err != nil {
			t.Fatalf("POSTINO_WORLDS: %v, want two seeds, as in 1000-5000", err)
		}
		n -= int(first)
	}
	if text := os.Getenv("POSTINO_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		first, n = seed, 1
	}
	const workers = 2
	for worker := range uint64(workers) {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for seed := first + worker; seed < first+uint64(n); seed += workers {
				for _, text := range live(t, seed, noBug) {
					t.Error(text)
				}
				if t.Failed() {
					t.Fatalf("replay with POSTINO_SEED=%d", seed)
				}
			}
		})
	}
}

// TestWorldsHaveBreakersAndRateLimits sees that what the worlds are to show
// happens in them.
func TestWorldsHaveBreakersAndRateLimits(t *testing.T) {
	counts := map[string]int{}
	for seed := range uint64(300) {
		synctest.Test(t, func(*testing.T) {
			w := newWorld(seed, noBug)
			w.live()
			for name, n := range w.counts {
				counts[name] += n
			}
		})
	}
	for _, name := range []string{"breaker_opened", "breaker_probes", "breaker_closed", "deliveries_paced", "deliveries_parked"} {
		if counts[name] < 20 {
			t.Errorf("%s happened %d times in 300 worlds", name, counts[name])
		}
	}
	t.Log(counts)
}
