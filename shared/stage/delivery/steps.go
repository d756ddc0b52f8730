package delivery

import (
	"context"
	"errors"
	"fmt"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// steps takes the steps of deliveries other than attempts, and carries out what
// follows from each.
type steps struct{ *Deliverer }

// park makes the delivery wait until its subscription opens.
func (d *steps) park(ctx context.Context, del webhook.Delivery, why webhook.Waiting, content *webhook.Content) error {
	d.strains.of(del.Tenant).note(true)
	return d.wait(ctx, lifecycle.Park(del, why, d.Now()), content, func() { d.Count("deliveries_parked", 1) })
}

// wait saves that a delivery waits, with its body, counts that, and arranges what
// ends it.
func (d *steps) wait(ctx context.Context, t lifecycle.Transition, content *webhook.Content, count func()) error {
	t = t.Keeping(content)
	saved, err := d.life.Save(ctx, t)
	if err != nil {
		return fmt.Errorf("have %s wait: %w", t.Next.ID, err)
	}
	count()
	return d.life.CarryOut(ctx, saved, t.Effects)
}

// cancel ends a delivery that is not to be posted. Detail is the reason in words;
// "" if it says it all.
func (d *steps) cancel(ctx context.Context, del webhook.Delivery, reason webhook.Reason, detail string) error {
	if del.Status != webhook.Pending {
		return d.announce.delivery(ctx, del) // a repeat may have been stopped before it
	}
	if del.Rev == 0 && reason == webhook.ReasonDeleted {
		state, err := d.Store.TenantState(ctx, del.Tenant)
		if err != nil || state.Removes(del.CreatedAt) {
			return err // it went with its tenant
		}
	}
	_, err := d.life.Apply(ctx, lifecycle.Cancel(del, reason, detail, d.Now()))
	return err
}

// skip cancels a delivery that the subscription as it is now cannot send
// anywhere. Any other error is returned.
func (d *steps) skip(ctx context.Context, del webhook.Delivery, err error) error {
	var why *render.Skip
	if errors.As(err, &why) {
		return d.cancel(ctx, del, why.Reason, why.Kept())
	}
	return err
}

// finish does once more what the stored delivery calls for.
func (d *steps) finish(ctx context.Context, del webhook.Delivery) error {
	return d.life.CarryOut(ctx, del, lifecycle.Follows(del))
}

// executor stores the transitions of deliveries and does what follows.
func (d *steps) executor() lifecycle.Executor {
	return lifecycle.Executor{
		Store:    d.gathering,
		Counter:  lifecycle.Counter{Count: d.Count, Stats: d.Stats.Ended},
		Announce: d.announce.delivery,
		Redrive: func(ctx context.Context, del webhook.Delivery) error {
			newRound := message.NewRound{Tenant: del.Tenant, Subscription: del.Subscription, Delivery: del.ID, Round: del.Round}
			return d.Exhausted.Send(ctx, []queue.Message{message.Queued(newRound, 0)})
		},
		Leave: func(ctx context.Context, del webhook.Delivery) error {
			return d.Store.LeaveLine(ctx, ref(del), []string{del.ID})
		},
		Enter:  d.lines.join,
		Offer:  d.pulls.offer,
		Wake:   func(ctx context.Context, del webhook.Delivery) error { return d.wake(ctx, del, false) },
		Second: func(ctx context.Context, del webhook.Delivery) error { return d.wake(ctx, del, true) },
	}
}

// wake arranges the attempt at NextAt: by a delayed message, or, beyond what a
// queue can delay, by a due pointer that sweep turns into one.
func (d *steps) wake(ctx context.Context, del webhook.Delivery, secondTurn bool) error {
	next := message.NextAttempt(del)
	delay := del.NextAt.Sub(d.Now())
	if delay > queue.MaxDelay {
		return d.Store.PutDue(ctx, next.Due(del.NextAt))
	}
	next.SecondTurn = secondTurn
	return d.Retries.Send(ctx, []queue.Message{message.Queued(next, delay)})
}

func ref(del webhook.Delivery) webhook.SubscriptionRef {
	return webhook.SubscriptionRef{Tenant: del.Tenant, ID: del.Subscription}
}
