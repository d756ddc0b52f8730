package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

var jobCases = map[string]func(*testing.T, Store){
	"AreReadAsTheyWereStored":         jobsByID,
	"RacingWritersHaveOneWinner":      jobRace,
	"AreListedInOrderOfTheirIDs":      jobLists,
	"CarryAsManyDecisionsAsASliceHas": jobDecisions,
}

// someJob returns one with every field set.
func someJob(tenant, id string) webhook.Job {
	return webhook.Job{
		Tenant: tenant, ID: id, Kind: webhook.JobRecover, Subscription: "s", Born: 1 << 40,
		After: nano, Before: afterStart(7), Of: webhook.Exhausted, DryRun: true,
		Status: webhook.JobStopped, Detail: "ünï <b>",
		Counts: webhook.JobCounts{Matched: 1 << 40, Sent: 2, Skipped: 3, Canceled: 4, Removed: 5},
		Stage:  2, Position: "p\x00ü", Reached: afterStart(5), Decided: []webhook.JobTarget{{Delivery: "dlv_1", Round: 3}},
		Slice: 9, CreatedAt: afterStart(1), UpdatedAt: nano, EndedAt: afterStart(3),
	}
}

func jobsByID(t *testing.T, store Store) {
	full := someJob("acme", "job_1")
	plain := webhook.Job{Tenant: "acme", ID: "job_2", Kind: webhook.JobDeleteTenant, Status: webhook.JobRunning, CreatedAt: afterStart(1), UpdatedAt: afterStart(1)}
	for _, j := range []webhook.Job{full, plain} {
		check(t, store.SaveJob(t.Context(), j))
		wantError(t, "created again", store.SaveJob(t.Context(), j), webhook.ErrConflict)
		j.Rev = 1
		same(t, "Job", must[webhook.Job](t)(store.Job(t.Context(), "acme", j.ID)), j)
	}
	full.Rev, full.Status, full.Decided, full.Slice = 1, webhook.JobDone, nil, 10
	check(t, store.SaveJob(t.Context(), full))
	wantError(t, "an older revision", store.SaveJob(t.Context(), full), webhook.ErrConflict)
	full.Rev = 2
	same(t, "changed", must[webhook.Job](t)(store.Job(t.Context(), "acme", full.ID)), full)
	for _, place := range [][2]string{{"acme", "job_3"}, {"acme2", "job_1"}} {
		_, err := store.Job(t.Context(), place[0], place[1])
		wantError(t, "a job that is not there", err, webhook.ErrNotFound)
	}
}

func jobRace(t *testing.T, store Store) {
	j := someJob("acme", "job_1")
	check(t, store.SaveJob(t.Context(), j))
	j.Rev = 1
	winner := oneWinner(t, race(8, func(i int) error {
		mine := j
		mine.Slice = 100 + i
		return store.SaveJob(t.Context(), mine)
	}), webhook.ErrConflict)
	if got := must[webhook.Job](t)(store.Job(t.Context(), "acme", "job_1")); got.Slice != 100+winner || got.Rev != 2 {
		t.Errorf("stored slice %d, revision %d, want %d of the winner, 2", got.Slice, got.Rev, 100+winner)
	}
}

func jobLists(t *testing.T, store Store) {
	ids := numbered("job_", 7)
	for _, id := range ids {
		check(t, store.SaveJob(t.Context(), someJob("acme", id)))
	}
	check(t, store.SaveJob(t.Context(), someJob("other", "job_0003")))
	check(t, store.PutKey(t.Context(), key("acme", 1)))
	back := slices.Clone(ids)
	slices.Reverse(back)
	for _, limit := range []int{1, 3, 7, 250} {
		for desc, want := range map[bool][]string{false: ids, true: back} {
			l := func(p webhook.Page) ([]webhook.Job, string, error) { return store.PageJobs(t.Context(), "acme", p) }
			var got []string
			for _, j := range must[[]webhook.Job](t)(all(l, webhook.Page{Limit: limit, Desc: desc})) {
				stored := someJob("acme", j.ID)
				stored.Rev = 1
				same(t, "listed", j, stored)
				got = append(got, j.ID)
			}
			same(t, fmt.Sprintf("list of %d, descending %t", limit, desc), got, want)
		}
	}
	_, _, err := store.PageJobs(t.Context(), "acme", webhook.Page{Limit: 1, Position: "x"})
	wantError(t, "malformed position", err, webhook.ErrNotFound)
}

func jobDecisions(t *testing.T, store Store) {
	j := someJob("acme", "job_1")
	j.Decided = nil
	for i := range webhook.JobSlice {
		e := event("acme", fmt.Sprint(i), afterStart(i))
		j.Decided = append(j.Decided, webhook.JobTarget{Delivery: owed(e, "s", webhook.Exhausted).ID, Round: i})
	}
	check(t, store.SaveJob(t.Context(), j))
	j.Rev = 1
	same(t, "Job", must[webhook.Job](t)(store.Job(t.Context(), "acme", j.ID)), j)
}
