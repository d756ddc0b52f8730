package fanout_test

import (
	"fmt"
	"os"
	"testing"
	"testing/synctest"

	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

// playCast plays a history of campaigns and returns what is wrong with it.
func playCast(t *testing.T, seed uint64, store storetest.Store, plants ...func(*history)) []string {
	h := newCast(seed, store)
	for _, plant := range plants {
		plant(h)
	}
	if err := h.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var faults []string
	for _, fault := range h.check() {
		faults = append(faults, fmt.Sprintf("seed %d: %s", seed, fault))
	}
	return faults
}

func TestCampaignsAreExactInEveryHistory(t *testing.T) {
	var faults []string
	for _, seed := range seeds(t, histories(300, 20_000)) {
		synctest.Test(t, func(t *testing.T) { faults = append(faults, playCast(t, seed, newMemory())...) })
	}
	report(t, faults)
}

func TestCampaignsAreExactInLocalMode(t *testing.T) {
	for all := seeds(t, histories(200, 20_000)); len(all) > 0; {
		n := min(100, len(all)) // to one file
		var faults []string
		synctest.Test(t, func(t *testing.T) {
			dir, err := os.MkdirTemp(shm(), "postino-casts-")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			db, err := engine.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			for _, seed := range all[:n] {
				faults = append(faults, playCast(t, seed, localstore.In(db))...)
			}
		})
		report(t, faults)
		all = all[n:]
	}
}

func TestCampaignsAreExactOnDynamoDB(t *testing.T) {
	store := dynamoStore(t)
	var faults []string
	for _, seed := range seeds(t, histories(15, 300)) {
		faults = append(faults, playCast(t, seed, store, func(h *history) { h.free = true })...)
	}
	report(t, faults)
}

// TestHistoriesOfCampaignsHaveAllThatIsToBeFound counts what becomes of events, so that
// none of it goes out of use unnoticed, and who is held out of all.
func TestHistoriesOfCampaignsHaveAllThatIsToBeFound(t *testing.T) {
	outcomes, heldOut := map[string]int{}, map[int]map[string]bool{30: {}, 50: {}}
	for seed := range uint64(histories(300, 300)) {
		synctest.Test(t, func(t *testing.T) {
			h := newCast(seed, newMemory())
			h.cast.heard = func(campaign string, percent int, subject string, out bool) {
				if who := campaign + " " + subject; percent > 0 {
					if known, seen := heldOut[percent][who]; seen && known != out {
						t.Errorf("%s holds %s out: %v, and %v in another history", campaign, subject, out, known)
					}
					heldOut[percent][who] = out
				}
			}
			if err := h.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			h.check()
			h.cast.tell(outcomes)
		})
	}
	for _, what := range []string{
		"sent", "holdout", "cap", "once", "quiet", "not_due", "history", "audience", "profile", "missing_field", string(webhook.ReasonCanceledBy),
		"waited for the morning", "put the clocks forward", "a chain of 5", "a crash",
	} {
		if outcomes[what] == 0 {
			t.Errorf("no history has %q, of %v", what, outcomes)
		}
	}
	for percent, who := range heldOut {
		n := 0
		for _, out := range who {
			if out {
				n++
			}
		}
		if share := 100 * n / max(1, len(who)); !testing.Short() && (share < percent-9 || share > percent+9) {
			t.Errorf("%d of %d subjects are held out, want %d of a hundred", n, len(who), percent)
		}
	}
}
