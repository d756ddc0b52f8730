package lifecycle

import (
	"context"
	"errors"
	"fmt"

	"github.com/postino/postino/shared/webhook"
)

// Store stores deliveries.
type Store interface {
	// Delivery, SaveDelivery: see delivery's Deliveries.
	Delivery(ctx context.Context, tenant, id string) (webhook.Delivery, error)
	SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) error
}

// Counter counts deliveries that end. The zero Counter counts nothing.
type Counter struct {
	Count func(name string, n int)     // see package metric
	Stats func(ended webhook.Delivery) // by tenant, subscription and hour; see stats.Recorder
}

// Ended counts a delivery that has ended, at its EndedAt.
func (c Counter) Ended(d webhook.Delivery) {
	if c.Stats != nil {
		c.Stats(d)
	}
	if c.Count == nil {
		return
	}
	switch d.Status {
	case webhook.Succeeded:
		c.Count("deliveries_succeeded", 1)
	case webhook.Exhausted:
		c.Count("deliveries_exhausted", 1)
	case webhook.Canceled:
		c.Count("deliveries_canceled", 1)
	}
}

// Do carries out one effect for a stored delivery. It is safe to repeat.
type Do func(ctx context.Context, d webhook.Delivery) error

// Executor stores transitions and carries out their effects. A nil [Do] skips its
// effect: it cannot occur, or the caller does it for many at once.
type Executor struct {
	Store    Store
	Counter  Counter
	Announce Do
	Redrive  Do
	Leave    Do
	Enter    Do
	Offer    Do
	Wake     Do
	Second   Do // WakeSecond
}

// Apply saves a transition and carries out its effects. It returns the stored
// delivery.
func (x *Executor) Apply(ctx context.Context, t Transition) (webhook.Delivery, error) {
	d, err := x.Save(ctx, t)
	if err != nil {
		return d, err
	}
	return d, x.CarryOut(ctx, d, t.Effects)
}

// Save stores a transition with its parts, and counts an end. It returns the
// stored delivery, or [webhook.ErrConflict] if it was changed concurrently.
func (x *Executor) Save(ctx context.Context, t Transition) (webhook.Delivery, error) {
	if err := x.Store.SaveDelivery(ctx, t.Next, t.With); err != nil {
		return t.Next, err
	}
	t.Next.Rev++
	if t.Effects&Count != 0 {
		x.Counter.Ended(t.Next)
	}
	return t.Next, nil
}

// changeTries bounds the times a step is taken by a delivery that others keep
// changing.
const changeTries = 10

// Change saves the step that the delivery takes, or that it takes as it is by
// then if somebody else changed it meanwhile. Nothing is saved if there is no
// step to take any more. It returns the delivery as it is stored, with the
// effects that follow; [webhook.ErrBusy] if others keep changing it.
func (x *Executor) Change(ctx context.Context, d webhook.Delivery, step func(webhook.Delivery) (t Transition, takes bool, err error)) (webhook.Delivery, Effects, error) {
	for range changeTries {
		t, takes, err := step(d)
		if err != nil || !takes {
			return d, 0, err
		}
		saved, err := x.Save(ctx, t)
		if !errors.Is(err, webhook.ErrConflict) {
			return saved, t.Effects, err
		}
		if d, err = x.Store.Delivery(ctx, d.Tenant, d.ID); err != nil {
			return d, 0, err
		}
	}
	return d, 0, fmt.Errorf("delivery %s, changed by others %d times: %w", d.ID, changeTries, webhook.ErrBusy)
}

// CarryOut carries out the effects of a stored delivery: first the announcements,
// then the next step. Save has already counted its end.
func (x *Executor) CarryOut(ctx context.Context, d webhook.Delivery, effects Effects) error {
	for effect := Announce; effect <= WakeSecond; effect <<= 1 {
		do := x.does(effect & effects)
		if do == nil {
			continue
		}
		if err := do(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

func (x *Executor) does(effect Effects) Do {
	switch effect {
	case Announce:
		return x.Announce
	case Redrive:
		return x.Redrive
	case Leave:
		return x.Leave
	case Enter:
		return x.Enter
	case Offer:
		return x.Offer
	case Wake:
		return x.Wake
	case WakeSecond:
		return x.Second
	}
	return nil
}
