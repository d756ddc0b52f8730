package simulation_test

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

// posted is what subscribers saw of one delivery.
type posted struct {
	body      string
	count     int
	confirmed bool
	answers   map[int]int // how often each status was answered; 0 for no answer
}

// witness is what a world knows that no store tells.
type witness struct {
	canceled map[string]int      // when the store took the cancel, by delivery; not of those that were sent again since
	lost     map[string]int      // attempts that were made, and whose process died or failed before they were stored
	expunged map[string]int      // when it was answered, by event
	rounds   map[string]int64    // that a job began
	meddled  map[string]int64    // rounds that others began while a job was at work, of what it may have decided upon
	removed  map[string]int64    // items that a job removed
	ended    map[string][]string // deliveries that a job canceled
	cancels  []cancel            // that triggers took
}

// cancel is an event that canceled what waits for a subscription's trigger.
type cancel struct {
	subscription, event string
	at                  int
}

func newWitness() witness {
	return witness{
		canceled: map[string]int{}, lost: map[string]int{}, expunged: map[string]int{}, rounds: map[string]int64{}, meddled: map[string]int64{}, removed: map[string]int64{},
		ended: map[string][]string{},
	}
}

// reads notes what a message asks of a container.
func (c *container) reads(body []byte) {
	c.byHand, c.job = false, ""
	asked, _ := message.Decode(body)
	switch asked := asked.(type) {
	case message.Pack:
		if len(asked.Events) == 1 && asked.Events[0].Type == "c.x" {
			c.cancels = asked.Events[0].ID
		}
	case message.AttemptByHand:
		c.byHand = true
	case message.JobSlice:
		c.job = asked.Job
	case message.AuditJob:
		c.job = asked.Job
	}
}

// decides notes what a container stored of triggers.
func (w *world) decides(c *container, items []webhook.StateItem) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.cancels != "" && len(items) == 1 && items[0].Part == "TIMER" {
		w.witness.cancels = append(w.witness.cancels, cancel{items[0].Subscription, c.cancels, w.tick()})
	}
}

// posts notes that a container makes an attempt, and sees that it may: what is
// canceled, or of an event that was expunged, is not posted by anybody who
// began after that.
func (w *world) posts(c *container, id string) {
	d, unknown := w.store.Delivery(context.Background(), tenant, id)
	w.mu.Lock()
	defer w.mu.Unlock()
	c.unsaved[id]++
	if at, canceled := w.witness.canceled[id]; canceled && at < c.born && !c.byHand {
		w.wrong("delivery %s was posted after it had been canceled", id)
	}
	if at, expunged := w.witness.expunged[d.EventID]; expunged && at < c.born && unknown == nil {
		w.wrong("delivery %s was posted after its event had been expunged", id)
	}
	w.fires(c, id, d)
}

// saves notes what a container stored of a delivery.
func (w *world) saves(c *container, before, after webhook.Delivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.unsaved[after.ID] -= after.Attempts - before.Attempts
	switch {
	case after.Round > before.Round:
		w.witness.rounds[c.job]++
		w.meddles(c, before)
		delete(w.witness.canceled, after.ID)
	case after.Status == webhook.Canceled && before.Status != webhook.Canceled:
		w.witness.canceled[after.ID] = w.tick()
		w.witness.ended[c.job] = append(w.witness.ended[c.job], after.ID)
	}
}

// meddles notes that a container began another round of what other recovers
// that are at work may be about: they count it as sent, as it is.
func (w *world) meddles(c *container, d webhook.Delivery) {
	jobs, _, err := w.store.PageJobs(context.Background(), tenant, webhook.Page{Limit: 1000})
	if err != nil {
		w.wrong("list jobs: %v", err)
	}
	for _, j := range jobs {
		if j.ID != c.job && j.Kind == webhook.JobRecover && j.Status == webhook.JobRunning && j.Of == d.Status && (j.Subscription == "" || j.Subscription == d.Subscription) {
			w.witness.meddled[j.ID]++
		}
	}
}

// gone notes which attempts of a container nobody stored. One whose calls all
// went well, in time, stores each.
func (w *world) gone(c *container) {
	for _, id := range slices.Sorted(maps.Keys(c.unsaved)) {
		n := c.unsaved[id]
		w.witness.lost[id] += n
		if n != 0 && !c.harmed && time.Since(c.began) < handling {
			w.wrong("process %d made %d attempts of delivery %s that it did not store, and nothing had failed", c.number, n, id)
		}
	}
}

// checkSeen sees that what is stored of a delivery is what its subscriber saw:
// each attempt with the answer that was given, the body that was posted, and no
// success that nobody confirmed.
func (w *world) checkSeen(d webhook.Delivery) {
	p := w.seen[d.ID]
	if p == nil {
		p = &posted{}
	}
	if made := p.count + w.unseen[d.ID]; made != d.Attempts+w.witness.lost[d.ID] {
		w.wrong("delivery %s: %d attempts were made, %d stored, %d lost", d.ID, made, d.Attempts, w.witness.lost[d.ID])
	}
	attempts, _ := w.store.Attempts(context.Background(), tenant, d.ID)
	if d.Last != nil && !slices.ContainsFunc(attempts, func(a webhook.Attempt) bool { return a.Number == d.Last.Number }) {
		attempts = append(attempts, *d.Last)
	}
	told, succeeded := map[int]int{}, false
	for _, a := range attempts {
		told[a.StatusCode]++
		succeeded = succeeded || a.StatusCode/100 == 2
	}
	for status, n := range told {
		answered := p.answers[status]
		if status == 0 {
			answered += w.unseen[d.ID]
		}
		if n > answered {
			w.wrong("delivery %s: %d attempts are stored as answered %d, %d were", d.ID, n, status, answered)
		}
	}
	if succeeded != (d.Status == webhook.Succeeded) {
		w.wrong("delivery %s is %s, an attempt that succeeded is stored: %t", d.ID, d.Status, succeeded)
	}
	if c, err := w.store.Content(context.Background(), tenant, d.ID); err == nil && p.count > 0 && (c.Body.Plain != p.body || c.Digest() != d.Digest) {
		w.wrong("delivery %s was posted as %q, stored is %q", d.ID, p.body, c.Body.Plain)
	}
}
