package job_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/webhook"
)

// delaying is a subscription whose trigger waits for an hour.
func (w *world) delaying(id string) webhook.Subscription {
	w.t.Helper()
	s := webhook.Subscription{Tenant: "acme", ID: id, URL: "https://a.example", State: webhook.Active, Trigger: json.RawMessage(`{"key":"id","delay":"1h"}`)}
	s, err := w.seed.SaveSubscription(w.t.Context(), s, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// begins stores an event that begins a delay of a subscription, and returns the id of
// the delivery to come.
func (w *world) begins(s webhook.Subscription, n int) string {
	w.t.Helper()
	at := w.clock.Add(time.Duration(n) * time.Second)
	entry := webhook.PlanEntry{Subscription: s.ID, Version: s.Version}
	e := webhook.StoredEvent{Event: webhook.Event{
		Tenant: "acme", ID: fmt.Sprint(s.ID, "-", n), Source: "/tenants/acme", Type: "a", Data: json.RawMessage(`{}`), Time: at, AcceptedAt: at, Nonce: "n",
	}, Plan: webhook.Plan{Entries: []webhook.PlanEntry{entry}, Total: 1}}
	if _, _, err := w.seed.CreateEvent(w.t.Context(), e); err != nil {
		w.t.Fatal(err)
	}
	spec, err := trigger.Compile(s)
	if err != nil {
		w.t.Fatal(err)
	}
	decoded, err := trigger.DecodeEvent(e.Event)
	if err != nil {
		w.t.Fatal(err)
	}
	o, _ := spec.Occurrence(s, e.Event, decoded)
	items, err := w.seed.TriggerState(w.t.Context(), o.Refs())
	if err != nil {
		w.t.Fatal(err)
	}
	_, changes, err := o.Decide(items, at, trigger.Always)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.seed.SaveTriggerState(w.t.Context(), changes); err != nil {
		w.t.Fatal(err)
	}
	return e.DeliveryID(entry)
}

func canceling(s webhook.Subscription, waiting ...webhook.Waiting) webhook.Job {
	return webhook.Job{Tenant: s.Tenant, ID: jobID, Kind: webhook.JobCancel, Subscription: s.ID, Born: s.Born, Waiting: waiting}
}

func TestACancelEndsWhatWaitsForOneSubscription(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		w.clock = base.Add(-time.Hour)
		s, other := w.delaying("s"), w.delaying("s2")
		w.owe(s, 400, waiting)
		w.owe(other, 4, waiting)
		var mine, others []string
		for n := range 60 {
			mine = append(mine, w.begins(s, n))
		}
		others = append(others, w.begins(other, 1))
		w.clock = base
		w.refuse = dice(5)
		dry := canceling(s)
		dry.DryRun = true
		wantCounts(t, w.finish(dry), webhook.JobCounts{Matched: 260})
		j := canceling(s)
		j.ID = jobID[:len(jobID)-1] + "2"
		wantCounts(t, w.finish(j), webhook.JobCounts{Matched: 260, Canceled: 260})
		for i := range 400 {
			w.wantDelivery(owed(s, i, "").ID, map[bool]webhook.Reason{true: webhook.ReasonManual}[waiting(i) == webhook.Pending])
		}
		for _, id := range mine {
			w.wantDelivery(id, webhook.ReasonManual)
		}
		for i := range 4 {
			w.wantDelivery(owed(other, i, "").ID, "")
		}
		if stored, err := w.seed.DeliveriesByID(t.Context(), "acme", others); err != nil || len(stored) > 0 {
			t.Errorf("what waits for another subscription: %v, %v, want nothing stored", stored, err)
		}
		again := canceling(s)
		again.ID = jobID[:len(jobID)-1] + "3"
		wantCounts(t, w.finish(again), webhook.JobCounts{})
	})
}

func TestACancelIsBoundByTimeAndByWhatIsWaitedFor(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		w.clock = base.Add(-time.Hour)
		s := w.delaying("s")
		w.owe(s, 40, waiting)
		early, late := w.begins(s, 0), w.begins(s, 600)
		j := canceling(s, webhook.WaitTimer)
		j.After, j.Before = w.clock.Add(time.Minute), base
		w.clock = base
		wantCounts(t, w.finish(j), webhook.JobCounts{Matched: 1, Canceled: 1})
		w.wantDelivery(late, webhook.ReasonManual)
		w.wantDelivery(owed(s, 0, "").ID, "")
		if stored, err := w.seed.DeliveriesByID(t.Context(), "acme", []string{early}); err != nil || len(stored) > 0 {
			t.Errorf("what began before the range: %v, %v, want nothing stored", stored, err)
		}
		for i, other := range []webhook.Waiting{webhook.WaitPaused, webhook.WaitQuiet} { // of which nothing waits
			j := canceling(s, other)
			j.ID = fmt.Sprint(jobID[:len(jobID)-1], 2+i)
			wantCounts(t, w.finish(j), webhook.JobCounts{})
		}
	})
}

// wantDelivery holds that a delivery was canceled for a reason; "" if it was not.
func (w *world) wantDelivery(id string, reason webhook.Reason) {
	w.t.Helper()
	d, err := w.seed.Delivery(w.t.Context(), "acme", id)
	if err != nil || d.Reason != reason || (d.Status == webhook.Canceled) != (reason != "") {
		w.t.Errorf("delivery %s is %s %q, %v, want it canceled for %q", id, d.Status, d.Reason, err, reason)
	}
}
