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

// witness is what a world knows of deliveries that no store tells.
type witness struct {
	canceled map[string]int // when the store took the cancel, by delivery; not of those that were sent again since
	lost     map[string]int // attempts that were made, and whose process died or failed before they were stored
}

// byHand reports whether a message asks for an attempt beside the schedule.
func byHand(body []byte) bool {
	again, err := message.DecodeAgain(body)
	return err == nil && again.Kind == message.AgainManual
}

// posts notes that a container makes an attempt, and sees that it may: a
// canceled delivery is not posted by anybody who began after its cancel.
func (w *world) posts(c *container, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.unsaved[id]++
	if at, canceled := w.witness.canceled[id]; canceled && at < c.born && !c.byHand {
		w.wrong("delivery %s was posted after it had been canceled", id)
	}
}

// saves notes what a container stored of a delivery.
func (w *world) saves(c *container, before, after webhook.Delivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.unsaved[after.ID] -= after.Attempts - before.Attempts
	switch {
	case after.Round > before.Round:
		delete(w.witness.canceled, after.ID)
	case after.Status == webhook.Canceled && before.Status != webhook.Canceled:
		w.witness.canceled[after.ID] = w.tick()
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
