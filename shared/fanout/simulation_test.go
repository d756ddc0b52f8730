package fanout_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/postino/postino/shared/localdb"
	"github.com/postino/postino/shared/store/localstore"
	"github.com/postino/postino/shared/store/storetest"
)

// histories is how many a test plays: few as a rule, all of them with
// POSTINO_PROVE.
func histories(few, all int) int {
	if os.Getenv("POSTINO_PROVE") != "" {
		return all
	}
	return few
}

// seeds returns the seeds to play, or only that of POSTINO_SEED.
func seeds(t *testing.T, n int) []uint64 {
	if text := os.Getenv("POSTINO_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return []uint64{seed}
	}
	seeds := make([]uint64, n)
	for i := range seeds {
		seeds[i] = uint64(i)
	}
	return seeds
}

// play plays one history in a bubble and returns what is wrong with it.
func play(t *testing.T, seed uint64, shapes []shape, open func() storetest.Store) (faults []string) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(seed, open(), shapes)
		if err := h.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, fault := range h.check() {
			faults = append(faults, fmt.Sprintf("seed %d, %s: %s", seed, h.shape.name, fault))
		}
	})
	return faults
}

func report(t *testing.T, faults []string) {
	t.Helper()
	for _, fault := range faults[:min(len(faults), 10)] {
		t.Error(fault)
	}
	if len(faults) > 0 {
		t.Fatalf("%d faults; replay one with POSTINO_SEED", len(faults))
	}
}

func TestTriggersAreExactInEveryHistory(t *testing.T) {
	var faults []string
	for _, seed := range seeds(t, histories(4000, 40_000)) {
		faults = append(faults, play(t, seed, shapes, func() storetest.Store { return newMemory() })...)
	}
	report(t, faults)
}

func TestTriggersAreExactOnSQLite(t *testing.T) {
	all := seeds(t, histories(300, 4000))
	for len(all) > 0 {
		n := min(100, len(all)) // to one file
		var faults []string
		synctest.Test(t, func(t *testing.T) { faults = playOnSQLite(t, all[:n]) })
		report(t, faults)
		all = all[n:]
	}
}

func playOnSQLite(t *testing.T, seeds []uint64) (faults []string) {
	dir, err := os.MkdirTemp(shm(), "postino-histories-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := localdb.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store, err := localstore.New(db)
	if err != nil {
		t.Fatal(err)
	}
	for _, seed := range seeds {
		h := newHistory(seed, store, shapes)
		if err := h.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, fault := range h.check() {
			faults = append(faults, fmt.Sprintf("seed %d, %s: %s", seed, h.shape.name, fault))
		}
	}
	return faults
}

// shm is a folder in memory, if there is one.
func shm() string {
	if _, err := os.Stat("/dev/shm"); err == nil {
		return "/dev/shm"
	}
	return ""
}
