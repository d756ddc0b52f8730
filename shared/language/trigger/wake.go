package trigger

import (
	"context"
	"fmt"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Mark is what is known of an event without reading it.
type Mark struct {
	Source, ID string
	Version    int64 // of the subscription: by which the delay began, or by which it was decided
	Due        time.Time
	Decided    bool // its delay is over, or it had none
	Quiet      bool // it waits until quiet hours are over, or did
}

// WakeRefs names what a timer's wake-up for the start with that mark looks at:
// the timer and the mark.
func WakeRefs(timer webhook.StateRef, mark string) []webhook.StateRef {
	timer.Part = partTimer
	own := timer
	own.Part = mark
	return []webhook.StateRef{timer, own}
}

// ReadMark reads a mark; false if it is not stored.
func ReadMark(item webhook.StateItem) (Mark, bool, error) {
	var p part[mark]
	err := p.decode(item)
	m := p.value
	return Mark{m.Source, m.ID, m.Version, m.Due, m.Outcome != "", m.Quiet}, p.exists(), err
}

// CanceledSince reports whether an event has canceled what the trigger's delay
// led to: one that comes after the delay's start, whenever it is handled. It
// is how what fired, but could not be sent yet, is still canceled.
func (s *Spec) CanceledSince(ctx context.Context, r Reader, sub webhook.Subscription, e webhook.Event) (bool, error) {
	if !s.delays() {
		return false, nil
	}
	d, err := DecodeEvent(e)
	if err != nil {
		return false, err
	}
	o, reason := s.Occurrence(sub, e, d)
	if reason != "" {
		return false, nil
	}
	items, err := r.TriggerState(ctx, WakeRefs(o.part(partTimer), o.mark))
	if err != nil {
		return false, fmt.Errorf("read trigger state: %w", err)
	}
	st, err := load(items)
	if err != nil {
		return false, err
	}
	return st.timer.value.Canceled.cancels(o.start(o.due(), o.orderIn(st.mark.value))), nil
}

// orderIn is the event's order as its mark tells it.
func (o *Occurrence) orderIn(m mark) uint32 {
	if m.Event == o.eventKey {
		return m.Order
	}
	return o.event.Order
}

// Next names the mark of the start that a timer fires next, and when; "" if
// nothing waits.
func Next(item webhook.StateItem) (mark string, due time.Time, err error) {
	var p part[timer]
	if err = p.decode(item); err != nil || len(p.value.Pending) == 0 {
		return "", time.Time{}, err
	}
	return p.value.Pending[0].Mark, p.value.Pending[0].Due, nil
}

// Waiting is how many delays a timer has that run.
func Waiting(item webhook.StateItem) int {
	var p part[timer]
	if p.decode(item) != nil {
		return 0
	}
	return len(p.value.Pending)
}

// DropNext returns the timer's item without the start that it would fire next,
// which has that mark; nil if that is another one by now.
func DropNext(item webhook.StateItem, mark string, now time.Time) (*webhook.StateItem, error) {
	var p part[timer]
	if err := p.decode(item); err != nil || len(p.value.Pending) == 0 || p.value.Pending[0].Mark != mark {
		return nil, err
	}
	t := p.value
	t.Pending = t.Pending[1:]
	p.set(t, t.until(now))
	items, err := p.changed(nil)
	if err != nil {
		return nil, err
	}
	return &items[0], nil
}

// DropQuiet returns the mark of an event that has waited until quiet hours are over,
// and of which nothing is left, as one that comes to nothing; nil if it does not wait
// for that, or is to wait on.
func DropQuiet(item webhook.StateItem, now time.Time) (*webhook.StateItem, error) {
	var p part[mark]
	if err := p.decode(item); err != nil || !p.exists() {
		return nil, err
	}
	m := p.value
	if m.Outcome != "" || !m.Quiet || m.Due.After(now) {
		return nil, nil
	}
	m.Outcome, m.At = webhook.ReasonExpired, now.UTC()
	p.set(m, now.Add(kept))
	items, err := p.changed(nil)
	if err != nil {
		return nil, err
	}
	return &items[0], nil
}
