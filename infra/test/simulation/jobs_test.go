package simulation_test

import (
	"slices"

	"github.com/postino/postino/shared/webhook"
)

// checkCount sees that a job says what it did: as many as it says began
// another round, ended or were removed.
func (w *world) checkCount(j webhook.Job) {
	c := j.Counts
	if began := w.witness.rounds[j.ID]; c.Sent < began || c.Sent > began+w.witness.meddled[j.ID] {
		w.wrong("job %s of %q says that it sent %d, and %d rounds began, %d by others", j.ID, j.Subscription, c.Sent, began, w.witness.meddled[j.ID])
	}
	if j.DryRun && c.Sent+c.Skipped > 0 {
		w.wrong("job %s, a dry run, says %+v", j.ID, c)
	}
	if c.Removed > w.witness.removed[j.ID] {
		w.wrong("job %s says that it removed %d items, of %d", j.ID, c.Removed, w.witness.removed[j.ID])
	}
	if j.Kind != webhook.JobDeleteSubscription {
		return
	}
	own := slices.Compact(slices.Sorted(slices.Values(w.witness.ended[j.ID])))
	ended := len(own) // also what an attempt by hand has brought to its receiver since
	for _, d := range w.store.Deliveries(tenant) {
		if d.Subscription == j.Subscription && d.Reason == webhook.ReasonDeleted && !slices.Contains(own, d.ID) {
			ended++
		}
	}
	if int(c.Canceled) < len(own) || int(c.Canceled) > ended {
		w.wrong("job %s says that it canceled %d deliveries, it did %d, and %d are stored as that", j.ID, c.Canceled, len(own), ended)
	}
}
