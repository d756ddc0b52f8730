package trigger

import (
	"cmp"
	"slices"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Rehearsal plays events of the past through triggers, on a state that begins
// empty and is kept nowhere. Triggers that are played together share their caps. It
// is not safe for concurrent use. The zero value is ready.
type Rehearsal struct {
	state   map[webhook.StateRef]webhook.StateItem
	waiting []waiter // the first is due first
}

// Told learns what became of an event, once: what is still to come at the end waits.
type Told func(Decision)

// waiter is an occurrence whose delay, or quiet hours, are not over.
type waiter struct {
	*Occurrence
	due   time.Time // by our clock
	start start
	quiet bool
	ready Ready
	told  Told
}

func (a waiter) compare(b waiter) int { return cmp.Or(a.due.Compare(b.due), a.start.compare(b.start)) }

// Until has what is due by a time happen.
func (r *Rehearsal) Until(now time.Time) error {
	for len(r.waiting) > 0 && !r.waiting[0].due.After(now) {
		next := r.waiting[0]
		r.waiting = r.waiting[1:]
		if err := r.wake(next); err != nil {
			return err
		}
	}
	return nil
}

// End tells of what still waits.
func (r *Rehearsal) End() {
	for _, w := range r.waiting {
		w.told(Decision{Do: Wait, Due: w.due, Quiet: w.quiet})
	}
	r.waiting = nil
}

// Cancel has an event cancel what it cancels.
func (r *Rehearsal) Cancel(s *Spec, a Asked) error {
	for _, ref := range s.CancelRefs(a.Subscription, a.Decoded, a.Cancels) {
		changed, err := CancelBy(r.read([]webhook.StateRef{ref})[0], a.Event, a.Event.AcceptedAt)
		if err != nil {
			return err
		}
		if changed != nil {
			r.save([]webhook.StateItem{*changed})
		}
	}
	return nil
}

// Play decides for an event when it was accepted.
func (r *Rehearsal) Play(s *Spec, a Asked, ready Ready, told Told) error {
	o, reason := s.Occurrence(a.Subscription, a.Event, a.Decoded)
	if reason != "" {
		told(Decision{Reason: reason})
		return nil
	}
	now := a.Event.AcceptedAt
	d, changes, err := o.Decide(r.read(o.Refs()), now, ready)
	if err != nil {
		return err
	}
	r.save(changes)
	r.follow(waiter{Occurrence: o, start: o.start(o.due(), a.Event.Order), ready: ready, told: told}, d, now)
	return nil
}

// follow tells what was decided, or waits.
func (r *Rehearsal) follow(w waiter, d Decision, now time.Time) {
	if d.Do != Wait {
		w.told(d)
		return
	}
	w.due, w.quiet = later(now, d.Due), d.Quiet
	i, _ := slices.BinarySearchFunc(r.waiting, w, waiter.compare)
	r.waiting = slices.Insert(r.waiting, i, w)
}

// wake decides for what is due.
func (r *Rehearsal) wake(w waiter) error {
	decide := w.Fire
	if w.quiet {
		decide = w.Wake
	}
	items := r.read(w.Refs())
	d, changes, fires, err := decide(items, w.due, w.ready)
	switch {
	case err != nil:
		return err
	case fires:
		r.save(changes)
		r.follow(w, d, w.due)
		return nil
	}
	if d, _, err = w.Decided(items); err == nil {
		w.told(d)
	}
	return err
}

// read returns parts as a store would.
func (r *Rehearsal) read(refs []webhook.StateRef) []webhook.StateItem {
	items := make([]webhook.StateItem, len(refs))
	for i, ref := range refs {
		items[i] = r.state[ref]
		items[i].StateRef = ref
	}
	return items
}

func (r *Rehearsal) save(changes []webhook.StateItem) {
	if r.state == nil {
		r.state = map[webhook.StateRef]webhook.StateItem{}
	}
	for _, item := range changes {
		item.Rev++
		r.state[item.StateRef] = item
	}
}
