package job_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/stage/job"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

const jobID = "job_00000000000000000000000001"

func recovering(s webhook.Subscription) webhook.Job {
	return webhook.Job{
		Tenant: s.Tenant, ID: jobID, Kind: webhook.JobRecover, Subscription: s.ID, Born: s.Born,
		After: base.Add(-200_000 * time.Second), Of: webhook.Exhausted,
	}
}

func wantCounts(t *testing.T, j webhook.Job, want webhook.JobCounts) {
	t.Helper()
	if diff := cmp.Diff(want, j.Counts); diff != "" || j.Status != webhook.JobDone {
		t.Errorf("job is %s %q, counts (-want +got):\n%s", j.Status, j.Detail, diff)
	}
}

// mixed has two of three deliveries exhausted.
func mixed(i int) webhook.Status {
	return []webhook.Status{webhook.Exhausted, webhook.Succeeded, webhook.Exhausted, webhook.Canceled, webhook.Exhausted, webhook.Exhausted}[i%6]
}

// wantRounds holds that each delivery that was exhausted is one round on, and
// that nothing happened to any other.
func (w *world) wantRounds(s webhook.Subscription, n int, status func(int) webhook.Status, sent webhook.Status) {
	w.t.Helper()
	for i := range n {
		before := owed(s, i, status(i))
		d, err := w.seed.Delivery(w.t.Context(), s.Tenant, before.ID)
		if err != nil {
			w.t.Fatal(err)
		}
		want := before.Round
		if before.Status == sent {
			want++
		}
		if d.Round != want || d.Status == sent || want == before.Round && d.Status != before.Status {
			w.t.Errorf("delivery %d, which was %s in round %d, is %s in round %d", i, before.Status, before.Round, d.Status, d.Round)
		}
	}
}

func TestARecoverSendsAllThatFailedOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		n := scale(100_000, 1_500)
		s, other := w.subscribe("acme", "s"), w.subscribe("acme", "other")
		w.owe(s, n, mixed)
		w.owe(other, 10, mixed)
		last, reached := webhook.JobCounts{}, time.Time{}
		w.watch = func(j webhook.Job) {
			if j.Counts.Sent < last.Sent || j.Counts.Matched < last.Matched || j.Reached.Before(reached) || j.Counts.Matched > int64(n) {
				t.Errorf("counts went from %+v to %+v, reached from %s to %s", last, j.Counts, reached, j.Reached)
			}
			last, reached = j.Counts, j.Reached
		}
		began := w.clock
		j := w.finish(recovering(s))
		all := int64(n * 4 / 6)
		wantCounts(t, j, webhook.JobCounts{Matched: all, Sent: all})
		w.wantRounds(s, n, mixed, webhook.Exhausted)
		w.wantRounds(other, 10, mixed, "none")
		for wake, times := range w.wakes {
			if times != 1 {
				t.Errorf("%s was woken %d times", wake, times)
			}
		}
		if len(w.wakes) != int(all) {
			t.Errorf("%d deliveries were woken, want %d", len(w.wakes), all)
		}
		if took := w.clock.Sub(began); took < time.Duration(all)*time.Second/101 || w.busiest > 101 {
			t.Errorf("it took %v, up to %d in a second, want at most 100", took, w.busiest)
		}
	})
}

func TestADryRunCountsTheSameAndSendsNothing(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		s := w.subscribe("acme", "s")
		w.owe(s, 600, mixed)
		dry := recovering(s)
		dry.DryRun = true
		wantCounts(t, w.finish(dry), webhook.JobCounts{Matched: 400})
		w.wantRounds(s, 600, mixed, "none")
		canceled := recovering(s)
		canceled.ID, canceled.Of = jobID+"2", webhook.Canceled
		wantCounts(t, w.finish(canceled), webhook.JobCounts{Matched: 100, Sent: 100})
		w.wantRounds(s, 600, mixed, webhook.Canceled)
	})
}

func TestARecoverKeepsToItsRange(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		s := w.subscribe("acme", "s")
		w.owe(s, 20, always(webhook.Exhausted))
		j := recovering(s)
		j.After, j.Before = owed(s, 4, "").CreatedAt, owed(s, 9, "").CreatedAt
		wantCounts(t, w.finish(j), webhook.JobCounts{Matched: 4, Sent: 4})
		for i := range 20 {
			d, err := w.seed.Delivery(t.Context(), "acme", owed(s, i, "").ID)
			if err != nil {
				t.Fatal(err)
			}
			if sent := d.Status == webhook.Pending; sent != (i > 4 && i < 9) {
				t.Errorf("delivery %d was sent again: %t", i, sent)
			}
		}
	})
}

// Every call of the worker may fail, be carried out and fail, or be the last
// that it makes; and messages come twice.
func TestARecoverCountsExactlyWhateverFails(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		const n = 600
		s := w.subscribe("acme", "s")
		w.owe(s, n, mixed)
		dice := dice(700)
		w.store, w.refuse = storetest.Faulty(w.seed, dice, dice), dice
		repeats := 20
		w.watch = func(webhook.Job) {
			if len(w.pending) > 0 && repeats > 0 {
				repeats--
				w.pending = append(w.pending, w.pending[0]) // comes twice
			}
		}
		wantCounts(t, w.finish(recovering(s)), webhook.JobCounts{Matched: n * 4 / 6, Sent: n * 4 / 6})
		w.wantRounds(s, n, mixed, webhook.Exhausted)
		if len(w.wakes) != n*4/6 {
			t.Errorf("%d deliveries were woken, want %d", len(w.wakes), n*4/6)
		}
	})
}

func TestADeletedSubscriptionStopsItsRecover(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		s := w.subscribe("acme", "s")
		w.owe(s, 600, always(webhook.Exhausted))
		slices := 0
		w.watch = func(webhook.Job) {
			if slices++; slices == 1 {
				if err := w.seed.DeleteSubscription(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "s"}, s.Version); err != nil {
					t.Fatal(err)
				}
				w.subscribe("acme", "s") // another one with the same name
			}
		}
		j := w.finish(recovering(s))
		if j.Status != webhook.JobStopped || j.Detail == "" || j.Counts.Sent != webhook.JobSlice || j.Counts.Matched != webhook.JobSlice {
			t.Errorf("job is %s %q with %+v, want it stopped after one slice", j.Status, j.Detail, j.Counts)
		}
	})
}

func TestARecoverOfATenantLeavesOutDeletedSubscriptions(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		a, b, foreign := w.subscribe("acme", "a"), w.subscribe("acme", "b"), w.subscribe("other", "a")
		for _, s := range []webhook.Subscription{a, b, foreign} {
			w.owe(s, 30, mixed)
		}
		if err := w.seed.DeleteSubscription(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "b"}, b.Version); err != nil {
			t.Fatal(err)
		}
		j := recovering(a)
		j.Subscription, j.Born = "", 0
		wantCounts(t, w.finish(j), webhook.JobCounts{Matched: 20, Sent: 20})
		w.wantRounds(a, 30, mixed, webhook.Exhausted)
		w.wantRounds(b, 30, mixed, "none")
		w.wantRounds(foreign, 30, mixed, "none")
	})
}

// What changes between the decision and its turn is not sent.
func TestWhatSucceededMeanwhileIsSkipped(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		s := w.subscribe("acme", "s")
		w.owe(s, 9, always(webhook.Exhausted))
		w.store = storetest.Faulty(w.seed, nil, func(method string) error {
			if d := owed(s, 3, webhook.Succeeded); method == "DeliveriesByID" {
				d.Rev = 1
				return w.seed.SaveDelivery(t.Context(), d, webhook.Parts{})
			}
			return nil
		})
		wantCounts(t, w.finish(recovering(s)), webhook.JobCounts{Matched: 9, Sent: 8, Skipped: 1})
	})
}

func TestAJobThatWasForgottenIsFoundByItsAudit(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		s := w.subscribe("acme", "s")
		w.owe(s, 600, always(webhook.Exhausted))
		j := w.begin(recovering(s))
		w.pending = nil // we died before we asked for the first slice
		asked, err := message.OfDue(message.AuditJob(message.NextSlice(j)).Due(w.clock.Add(job.AuditAfter)))
		if err != nil {
			t.Fatal(err)
		}
		first := message.JobSlice(asked.(message.AuditJob))
		if err := w.worker().Work(t.Context(), first, true); err != nil {
			t.Fatal(err)
		}
		if err := w.worker().Work(t.Context(), first, false); err != nil { // late, and behind
			t.Fatal(err)
		}
		if len(w.pending) != 1 {
			t.Errorf("%d messages ask for the next slice, want 1", len(w.pending))
		}
		w.run()
		wantCounts(t, w.job("acme", j.ID), webhook.JobCounts{Matched: 600, Sent: 600})
		if due, err := w.seed.CountDue(t.Context(), w.clock.Add(time.Hour), 10); err != nil || due != 1 {
			t.Errorf("%d audits are arranged, %v, want the next one", due, err)
		}
	})
}

func TestASecondRecoverWaitsForTheFirst(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		s := w.subscribe("acme", "s")
		w.owe(s, 10, always(webhook.Exhausted))
		ref := webhook.SubscriptionRef{Tenant: "acme", ID: "s"}
		if held, err := w.seed.Lease(t.Context(), ref, webhook.RecoverLease, "another", w.clock, w.clock.Add(time.Hour)); !held || err != nil {
			t.Fatal(held, err)
		}
		j := w.finish(recovering(s))
		if j.Status != webhook.JobRunning || j.Counts.Matched != 0 {
			t.Errorf("job is %s with %+v, want it waiting", j.Status, j.Counts)
		}
		w.clock = w.clock.Add(time.Hour)
		if err := w.worker().Work(t.Context(), message.JobSlice{Tenant: "acme", Job: j.ID}, true); err != nil {
			t.Fatal(err)
		}
		w.run()
		wantCounts(t, w.job("acme", j.ID), webhook.JobCounts{Matched: 10, Sent: 10})
		if held, err := w.seed.Lease(t.Context(), ref, webhook.RecoverLease, "third", w.clock, w.clock.Add(time.Hour)); !held || err != nil {
			t.Errorf("after its end another may begin: %t, %v", held, err)
		}
	})
}

func TestWhatWasExpungedIsSkipped(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		s := w.subscribe("acme", "s")
		w.owe(s, 3, always(webhook.Exhausted))
		d := owed(s, 1, webhook.Exhausted)
		e := webhook.StoredEvent{Event: webhook.Event{Tenant: "acme", ID: d.EventID, Source: d.EventSource, AcceptedAt: d.CreatedAt}, Expunged: true}
		if _, _, err := w.seed.CreateEvent(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, w.finish(recovering(s)), webhook.JobCounts{Matched: 3, Sent: 2, Skipped: 1})
	})
}
