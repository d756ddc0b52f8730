package simulation_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/webhook"
)

// plot is a subscription with a trigger, and what its invariants must know.
type plot struct {
	id      string
	nth     int           // it sends each so manieth event of a subject; 0 has a delay
	delay   time.Duration // after which it sends, unless an event of type c.x comes
	keep    bool          // a delay ends as it began, whatever changes meanwhile
	patched time.Time     // when it came to want something else; zero if it did not
}

// subscribePlots makes subscriptions with triggers, and plans what they count
// and wait for, and what is done to them.
func (w *world) subscribePlots() {
	count := &plot{id: "count", nth: 2 + w.rng.IntN(2)}
	wait := &plot{id: "wait", delay: []time.Duration{10 * time.Minute, 40 * time.Minute}[w.rng.IntN(2)], keep: w.rng.IntN(2) == 0}
	w.plots[count.id], w.plots[wait.id] = count, wait
	w.create(count.id, `["n.x"]`, "null", fmt.Sprintf(`{"every":%d}`, count.nth))
	change := map[bool]string{true: `,"on_change":"keep"`}[wait.keep]
	w.create(wait.id, `["d.x"]`, limits[w.rng.IntN(2)], fmt.Sprintf(`{"delay":"%dm","cancel":[{"types":["c.x"]}]%s}`, int(wait.delay.Minutes()), change))
	for i := range 1 + w.rng.IntN(2) {
		w.plan(w.array(fmt.Sprint("array", i), 2+w.rng.IntN(5)))
	}
	for range 1 + w.rng.IntN(5) {
		typ, subject := []string{"d.x", "d.x", "c.x"}[w.rng.IntN(3)], fmt.Sprint("u", w.rng.IntN(2))
		w.plan(func() {
			id := w.event(typ, subject)
			w.send("", []string{id}, []string{w.published[id]})
		})
	}
	for range w.rng.IntN(4) {
		w.plan(w.owner("POST", "/subscriptions/"+wait.id+[]string{"/pause", "/resume"}[w.rng.IntN(2)], ""))
	}
	if w.rng.IntN(3) == 0 {
		w.plan(w.owner("PATCH", "/subscriptions/"+wait.id, `{"types":["none"]}`))
	}
}

// array publishes events of one subject in one request.
func (w *world) array(subject string, n int) func() {
	return func() {
		var ids, events []string
		for range n {
			id := w.event("n.x", subject)
			ids, events = append(ids, id), append(events, w.published[id])
		}
		w.arrays = append(w.arrays, ids)
		w.send("", ids, events)
	}
}

// checkArrays sees that the events of one array are counted in its order.
func (w *world) checkArrays() {
	p := w.plots["count"]
	for _, ids := range w.arrays {
		var events []webhook.StoredEvent
		for _, id := range ids {
			e, err := w.store.Event(context.Background(), tenant, webhook.DefaultSource(tenant), id)
			if err == nil && !e.Expunged && (len(events) == 0 || e.AcceptedAt.Equal(events[0].AcceptedAt)) {
				events = append(events, e)
			}
		}
		if len(events) < len(ids) || w.amongOthers(ids) {
			continue
		}
		for i, e := range events {
			_, err := w.store.Delivery(context.Background(), tenant, webhook.DeliveryID(tenant, e.Key(), e.AcceptedAt, p.id, ""))
			if due := (i+1)%p.nth == 0; due != (err == nil) {
				w.wrong("event %s, number %d of its array, led to a delivery: %t, of each %d", e.ID, i+1, err == nil, p.nth)
			}
		}
	}
}

// amongOthers reports whether one of these was published in another array too,
// whose order may be the one that counts.
func (w *world) amongOthers(ids []string) bool {
	return slices.ContainsFunc(w.said, func(s said) bool {
		return !slices.Equal(s.ids, ids) && slices.ContainsFunc(s.ids, func(id string) bool { return slices.Contains(ids, id) })
	})
}

// startOf is the event whose delay led to a delivery, if it is one of these.
func (w *world) startOf(id string, p *plot) (start webhook.StoredEvent, found bool) {
	for _, e := range w.store.Events(tenant) {
		if e.Type == "d.x" && webhook.DeliveryID(tenant, e.Key(), e.AcceptedAt, p.id, "") == id {
			return e, true
		}
	}
	return start, false
}

// fires sees that an attempt of a delayed delivery may be made: its time has
// come, its subscription still wants it, and if it was held until now, nothing
// that was known before has canceled it.
func (w *world) fires(c *container, id string, d webhook.Delivery) {
	p := w.plots["wait"]
	if p == nil {
		return
	}
	e, found := w.startOf(id, p)
	if !found {
		return
	}
	due := e.Time.Add(p.delay)
	if time.Now().Before(due) {
		w.wrong("delivery %s was posted at %v, and is due at %v", id, time.Now(), due)
	}
	if !p.patched.IsZero() && !p.keep && p.patched.Before(due) {
		w.wrong("delivery %s was posted, whose subscription had come to want something else before it was due", id)
	}
	if held := d.Rev > 0 && d.Attempts == 0 && d.Round == 0 && d.Occasion == ""; !held || c.byHand || e.Expunged {
		return
	}
	for _, by := range w.witness.cancels {
		other, err := w.store.Event(context.Background(), tenant, webhook.DefaultSource(tenant), by.event)
		if err == nil && by.subscription == p.id && by.at < c.born && other.Subject == e.Subject && other.Time.After(e.Time) {
			w.wrong("delivery %s was held and canceled by event %s, and posted", id, by.event)
		}
	}
}

// hasCancel reports whether an event is stored that cancels what another began.
func (w *world) hasCancel(e webhook.StoredEvent, p *plot) bool {
	return p != nil && slices.ContainsFunc(w.store.Events(tenant), func(other webhook.StoredEvent) bool {
		return other.Type == "c.x" && (other.Subject == e.Subject || other.Expunged || e.Expunged) && !other.Time.Before(e.Time)
	})
}

// checkOccurrence sees that an event that a trigger took led to what it must,
// or that something speaks against it.
func (w *world) checkOccurrence(e webhook.StoredEvent, entry webhook.PlanEntry) {
	p, id := w.plots[entry.Subscription], e.DeliveryID(entry)
	if _, err := w.store.Delivery(context.Background(), tenant, id); err == nil {
		w.checkDelivery(e, entry, "", e.AcceptedAt)
		return
	}
	if entry.CancelsOnly || p.nth > 0 || e.Expunged || w.hasCancel(e, p) || !p.patched.IsZero() && !p.keep {
		return
	}
	for _, other := range w.store.Events(tenant) {
		if other.Type == "d.x" && other.ID != e.ID && (other.Subject == e.Subject || other.Expunged) && !other.Time.Before(e.Time) && !other.Time.After(e.Time.Add(p.delay)) {
			return // a later start took its place
		}
	}
	w.wrong("event %s of %s began a delay that never ended, and nothing says why", e.ID, p.id)
}

// timers is what is shown of an event that waits for its delay: by the state of
// its trigger.
func (w *world) timers(e webhook.StoredEvent, p *plot, planned webhook.Delivery) []shown {
	if p.delay == 0 || e.Expunged {
		return nil
	}
	ctx := context.Background()
	versions, err := w.store.Heads(ctx, []webhook.SubscriptionRef{{Tenant: tenant, ID: p.id}})
	if err != nil {
		w.wrong("read %s: %v", p.id, err)
		return nil
	}
	subs, err := w.store.Versions(ctx, []webhook.VersionRef{{Tenant: tenant, ID: p.id, Version: versions[0].Version}})
	if err != nil {
		w.wrong("read %s: %v", p.id, err)
		return nil
	}
	spec, err := trigger.Compile(subs[0])
	if err != nil {
		w.wrong("trigger of %s: %v", p.id, err)
		return nil
	}
	key, err := spec.KeyRef(subs[0], e.Subject)
	if err != nil {
		w.wrong("key of %s: %v", p.id, err)
		return nil
	}
	view, _, err := trigger.ReadView(ctx, w.store, key)
	if err != nil || view.Timer == nil {
		return nil
	}
	for _, t := range view.Timer.Waiting {
		if t.Event == e.ID {
			planned.Waiting, planned.NextAt = webhook.WaitTimer, time.Time(t.Due)
			return []shown{showing(planned)}
		}
	}
	return nil
}
