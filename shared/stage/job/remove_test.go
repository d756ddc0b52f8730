package job_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/stage/job"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

func deleting(s webhook.Subscription) webhook.Job {
	return webhook.Job{Tenant: s.Tenant, ID: jobID, Kind: webhook.JobDeleteSubscription, Subscription: s.ID, Born: s.Born}
}

// state is a part of a trigger's state of a subscription.
func state(s webhook.Subscription, n int) webhook.StateRef {
	return webhook.StateRef{Tenant: s.Tenant, Subscription: s.ID, Epoch: s.Epoch(), Key: webhook.Hash(20, "key", fmt.Sprint(n)), Part: "C"}
}

func (w *world) remember(s webhook.Subscription, keys int) {
	w.t.Helper()
	for n := range keys {
		if err := w.seed.SaveTriggerState(w.t.Context(), []webhook.StateItem{{StateRef: state(s, n), Data: []byte("{}")}}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// wantLeft holds that a subscription has so much state, and its version or not.
func (w *world) wantLeft(s webhook.Subscription, keys int, version bool) {
	w.t.Helper()
	left := 0
	for n := range keys + 10 {
		items, err := w.seed.TriggerState(w.t.Context(), []webhook.StateRef{state(s, n)})
		if err != nil {
			w.t.Fatal(err)
		}
		if items[0].Rev > 0 {
			left++
		}
	}
	_, err := w.seed.Versions(w.t.Context(), []webhook.VersionRef{{Tenant: s.Tenant, ID: s.ID, Version: s.Version}})
	if left != keys || errors.Is(err, webhook.ErrNotFound) == version {
		w.t.Errorf("%s of %s, born %d: %d keys left, version: %v; want %d keys, version %t", s.ID, s.Tenant, s.Born, left, err, keys, version)
	}
}

func (w *world) wantStatuses(s webhook.Subscription, n int, before func(int) webhook.Status, canceled bool) {
	w.t.Helper()
	for i := range n {
		d, err := w.seed.Delivery(w.t.Context(), s.Tenant, owed(s, i, "").ID)
		if err != nil {
			w.t.Fatal(err)
		}
		want, reason := before(i), webhook.Reason("")
		if canceled && want == webhook.Pending {
			want, reason = webhook.Canceled, webhook.ReasonDeleted
		}
		if d.Status != want || d.Reason != reason {
			w.t.Errorf("delivery %d of %s of %s is %s %q, want %s %q", i, s.ID, s.Tenant, d.Status, d.Reason, want, reason)
		}
	}
}

// waiting has every second delivery pending.
func waiting(i int) webhook.Status {
	return []webhook.Status{webhook.Pending, webhook.Succeeded, webhook.Pending, webhook.Exhausted}[i%4]
}

func TestADeletedSubscriptionLeavesNothingBehindButWhatEnded(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		dead, other, foreign := w.subscribe("acme", "s"), w.subscribe("acme", "s2"), w.subscribe("other", "s")
		for _, s := range []webhook.Subscription{dead, other, foreign} {
			w.owe(s, 600, waiting)
			w.remember(s, 5)
		}
		ref := webhook.SubscriptionRef{Tenant: "acme", ID: "s"}
		for i := range 8 {
			if err := w.seed.EnterLine(t.Context(), ref, owed(dead, i, "").ID); err != nil {
				t.Fatal(err)
			}
		}
		began := w.clock
		j := w.finish(deleting(dead)) // whoever asked for it died before the head went
		wantCounts(t, j, webhook.JobCounts{Matched: 300, Canceled: 300, Removed: 6})
		w.wantStatuses(dead, 600, waiting, true)
		w.wantLeft(dead, 0, false)
		for _, s := range []webhook.Subscription{other, foreign} {
			w.wantStatuses(s, 600, waiting, false)
			w.wantLeft(s, 5, true)
		}
		if line, err := w.seed.Line(t.Context(), ref, "", 10); err != nil || len(line) != 4 { // those that had ended
			t.Errorf("line has %d, %v", len(line), err)
		}
		if took := w.clock.Sub(began); took < job.Grace {
			t.Errorf("it took %v, want what was under way to have %v", took, job.Grace)
		}
	})
}

func TestASubscriptionMadeAnewKeepsItsOwn(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		dead := w.subscribe("acme", "s")
		w.owe(dead, 4, always(webhook.Pending))
		w.remember(dead, 2)
		if err := w.seed.DeleteSubscription(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "s"}, dead.Version); err != nil {
			t.Fatal(err)
		}
		again := w.subscribe("acme", "s")
		w.remember(again, 3)
		mine := owed(again, 1000, webhook.Pending)
		if err := w.seed.SaveDelivery(t.Context(), mine, webhook.Parts{}); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, w.finish(deleting(dead)), webhook.JobCounts{Matched: 4, Canceled: 4, Removed: 3})
		w.wantStatuses(dead, 4, always(webhook.Pending), true)
		w.wantLeft(dead, 0, false)
		w.wantLeft(again, 3, true)
		heads, err := w.seed.Heads(t.Context(), []webhook.SubscriptionRef{{Tenant: "acme", ID: "s"}})
		if err != nil || heads[0].Born != again.Born {
			t.Errorf("head = %+v, %v, want the one born at %d", heads[0], err, again.Born)
		}
		if d, err := w.seed.Delivery(t.Context(), "acme", mine.ID); err != nil || d.Status != webhook.Pending {
			t.Errorf("its delivery is %s, %v, want it pending", d.Status, err)
		}
	})
}

func TestADeletionCountsExactlyWhateverFails(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		s := w.subscribe("acme", "s")
		w.owe(s, 600, waiting)
		w.remember(s, 5)
		dice := dice(700)
		w.store, w.refuse = storetest.Faulty(w.seed, dice, dice), dice
		j := w.finish(deleting(s))
		j.Counts.Removed = 0 // of a call that failed after it was carried out nobody knows
		wantCounts(t, j, webhook.JobCounts{Matched: 300, Canceled: 300})
		w.wantStatuses(s, 600, waiting, true)
		w.wantLeft(s, 0, false)
	})
}

func TestWhatComesToWaitDuringTheGraceIsCanceledToo(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		s := w.subscribe("acme", "s")
		w.owe(s, 4, always(webhook.Pending))
		w.watch = func(j webhook.Job) {
			if len(w.pending) > 0 && w.pending[0].Delay > time.Minute {
				late := owed(s, 50, webhook.Pending)
				if err := w.seed.SaveDelivery(t.Context(), late, webhook.Parts{}); err != nil && !errors.Is(err, webhook.ErrConflict) {
					t.Fatal(err)
				}
			}
		}
		wantCounts(t, w.finish(deleting(s)), webhook.JobCounts{Matched: 5, Canceled: 5, Removed: 1})
	})
}
