package job_test

import (
	"testing"

	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

// doom begins a tenant's deletion and returns its job.
func (w *world) doom(tenant, id string) webhook.Job {
	w.t.Helper()
	if err := w.seed.BeginDeletion(w.t.Context(), tenant, w.clock); err != nil {
		w.t.Fatal(err)
	}
	return webhook.Job{Tenant: "postino", ID: id, Kind: webhook.JobDeleteTenant, Target: tenant, Born: w.clock.UnixMilli()}
}

func TestADeletedTenantLeavesOnlyItsCounter(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		for _, tenant := range []string{"acme", "acme2"} {
			if _, err := w.seed.EnsureTenant(t.Context(), tenant); err != nil {
				t.Fatal(err)
			}
		}
		dead, foreign := w.subscribe("acme", "s"), w.subscribe("acme2", "s")
		for _, s := range []webhook.Subscription{dead, foreign} {
			w.owe(s, 300, waiting)
			w.remember(s, 5)
		}
		first, second := w.begin(w.doom("acme", jobID)), w.doom("acme", jobID+"2")
		dice := dice(60)
		w.store, w.refuse = storetest.Faulty(w.seed, dice, dice), dice
		w.run()
		if j := w.job("postino", first.ID); j.Status != webhook.JobDone || j.Counts.Removed == 0 {
			t.Errorf("job is %s with %+v", j.Status, j.Counts)
		}
		w.wantLeft(dead, 0, false)
		w.wantLeft(foreign, 5, true)
		w.wantStatuses(foreign, 300, waiting, false)
		for i := range 300 {
			if _, err := w.seed.Delivery(t.Context(), "acme", owed(dead, i, "").ID); err == nil {
				t.Fatalf("delivery %d is left", i)
			}
		}
		w.store, w.refuse = w.seed, nil
		again := w.subscribe("acme", "s") // the name is used again, and another job of the same deletion comes late
		w.remember(again, 2)
		if j := w.finish(second); j.Counts.Removed != 0 {
			t.Errorf("a late job removed %d", j.Counts.Removed)
		}
		w.wantLeft(again, 2, true)
		if again.Born <= dead.Version {
			t.Errorf("version %d was there before", again.Born)
		}
	})
}
