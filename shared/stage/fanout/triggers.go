package fanout

import (
	"context"
	"errors"
	"fmt"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// triggers asks triggers what an event leads to, and does that.
type triggers struct{ *Fanout }

// triggersAtOnce bounds the triggers of one event that are asked concurrently.
const triggersAtOnce = 16

// triggered carries out an entry whose subscription has a trigger: first what
// the event cancels, then what it starts or sends.
func (f *triggers) triggered(ctx context.Context, r *rendering, p planned, out *outgoing) error {
	if err := f.cancelTimers(ctx, r, p); err != nil || p.CancelsOnly {
		return err
	}
	t, err := occurs(r, p.subscriber)
	if err != nil {
		return err
	}
	if t == nil {
		f.countDelivered(r, p.subscriber, webhook.ReasonNoKey)
		f.Count("events_skipped", 1)
		return nil
	}
	decision, wrote, err := f.decideOnState(ctx, t, func(items []webhook.StateItem) (trigger.Decision, []webhook.StateItem, error) {
		return t.occurrence.Decide(items, f.now(), t.ready)
	})
	if err != nil {
		return fmt.Errorf("trigger of %s: %w", p.ID, err)
	}
	f.countDecision(t, decision, wrote || r.fresh, false)
	return f.follow(ctx, t, decision, out)
}

// cancelTimers does what the event meets cancel clauses for.
func (f *triggers) cancelTimers(ctx context.Context, r *rendering, p planned) error {
	d, err := r.decoded()
	if err != nil {
		return err
	}
	for _, ref := range p.trigger.CancelRefs(p.subscriber.Subscription, d, p.Cancels) {
		ended, err := f.cancelTimer(ctx, ref, r.event)
		if err != nil {
			return fmt.Errorf("cancel timer of %s: %w", p.ID, err)
		}
		f.results.countCanceled(r, p.subscriber, ended)
	}
	return nil
}

// triggering is one event at one trigger.
type triggering struct {
	*rendering
	*subscriber
	occurrence *trigger.Occurrence
	message    *queue.Message // once rendered, for so many occurrences:
	count      int
	ended      webhook.Reason // why nothing is to be sent any more; "" as a rule
}

// occurs makes the triggering of an event; nil if the event has no key.
func occurs(r *rendering, s *subscriber) (*triggering, error) {
	d, err := r.decoded()
	if err != nil {
		return nil, err
	}
	o, reason := s.trigger.Occurrence(s.Subscription, r.event, d)
	if reason != "" {
		return nil, nil
	}
	return &triggering{rendering: r, subscriber: s, occurrence: o}, nil
}

// ready renders, since only what can be sent may claim anything.
func (t *triggering) ready(count int) (webhook.Reason, error) {
	if t.ended != "" {
		return t.ended, nil
	}
	if t.message != nil && t.count == count {
		return "", nil
	}
	m, err := t.attempt(count)
	var skip *render.Skip
	if errors.As(err, &skip) {
		return skip.Reason, nil
	}
	t.message, t.count = &m, count
	return "", err
}

// attempt renders all that a firing leads to, and returns the first attempt; an empty
// message if the subscription only emits.
func (t *triggering) attempt(count int) (m queue.Message, err error) {
	if t.Emits(webhook.EmitOnFire) {
		id := t.delivery(t.subscriber, count).ID
		if _, err := t.request.Emit(t.view, t.Subscription, render.Occasion{Delivery: id, Count: count}, nil, t.at); err != nil {
			return m, err
		}
	}
	if !t.Calls() {
		return m, nil
	}
	return t.firstAttempt(t.subscriber, count)
}

// skipped is why nothing could be rendered, as it was decided; what that was
// about is seen by rendering again.
func (t *triggering) skipped(d trigger.Decision) *render.Skip {
	var skip *render.Skip
	if _, err := t.attempt(d.Count); errors.As(err, &skip) && skip.Reason == d.Reason {
		return skip
	}
	return &render.Skip{Reason: d.Reason}
}

// follow does what was decided and stored. Doing it twice does no harm.
func (f *triggers) follow(ctx context.Context, t *triggering, d trigger.Decision, out *outgoing) error {
	switch d.Do {
	case trigger.Send:
		if t.message == nil || t.Emit != nil { // decided before, or more than an attempt
			_, err := f.deliver(ctx, t.rendering, t.subscriber, d.Count, out)
			return err
		}
		f.Count("deliveries_planned", 1)
		return out.deliveries.Add(ctx, *t.message)
	case trigger.Cancel:
		return f.cancel(ctx, t.rendering, t.subscriber, d.Count, t.skipped(d), out)
	case trigger.Wait:
		return f.timers.wake(ctx, t, d.Due, out)
	}
	f.Count("events_skipped", 1)
	return nil
}

// decideOnState reads the state, decides, and stores what that changes, as often as
// it takes for nobody to have come between. It reports whether that changed
// anything.
func (f *triggers) decideOnState(ctx context.Context, t *triggering, decide func([]webhook.StateItem) (trigger.Decision, []webhook.StateItem, error)) (decision trigger.Decision, wrote bool, err error) {
	refs := t.occurrence.Refs()
	if len(refs) == 0 {
		decision, _, err = decide(nil)
		return decision, false, err
	}
	err = f.crowds.Change(ctx, refs, func(items []webhook.StateItem) (changes []webhook.StateItem, err error) {
		decision, changes, err = decide(items)
		wrote = len(changes) > 0
		return changes, err
	})
	return decision, wrote, err
}

// cancelTimer records that an event cancels what waits for a key, and what may
// yet arrive of before it. It returns how many delays that ends.
func (f *triggers) cancelTimer(ctx context.Context, timer webhook.StateRef, e webhook.Event) (ended int, err error) {
	err = f.crowds.Change(ctx, []webhook.StateRef{timer}, func(items []webhook.StateItem) ([]webhook.StateItem, error) {
		changed, err := trigger.CancelBy(items[0], e, f.now())
		if ended = 0; changed == nil {
			return nil, err
		}
		ended = trigger.Waiting(items[0]) - trigger.Waiting(*changed)
		return []webhook.StateItem{*changed}, err
	})
	return ended, err
}
