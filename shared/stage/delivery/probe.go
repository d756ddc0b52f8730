package delivery

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// An open breaker has one chain of messages: each asks for one probe, and the
// next is queued before that is claimed. So the chain goes on whoever dies, and
// a copy of a message finds its probe claimed.

// probeMessage asks for the next probe of an open breaker, at its time.
func probeMessage(sub webhook.SubscriptionRef, b webhook.Breaker, now time.Time) queue.Message {
	p := message.Probe{Tenant: sub.Tenant, Subscription: sub.ID, Opening: opening(b), Number: b.Probes}
	return message.Queued(p, b.ProbeAt.Sub(now))
}

// opening names one time that a breaker is open.
func opening(b webhook.Breaker) string { return strconv.FormatInt(b.Since.UnixMilli(), 36) }

// probe makes the probe that the message asks for: it posts one of the
// deliveries that wait. If none does, the breaker closes: the next delivery
// will tell.
func (d *Deliverer) probe(ctx context.Context, asked message.Probe, head webhook.Head) error {
	b, sub := head.Health.Breaker, asked.Ref()
	switch {
	case !b.Open(): // closed meanwhile, perhaps by a new version, which wakes nobody
		return d.Resend.Send(ctx, []queue.Message{drainMessage(sub)})
	case !isNext(b, asked):
		return nil
	case b.ProbeAt.Sub(d.Now()) > early:
		return d.Resend.Send(ctx, []queue.Message{probeMessage(sub, b, d.Now())})
	}
	waiting, err := d.Store.Line(ctx, sub, "", probeChoice)
	if err != nil {
		return fmt.Errorf("read line: %w", err)
	}
	claimed := d.Breaker.Claimed(b, sub, d.Now())
	if len(waiting) == 0 {
		claimed = webhook.Breaker{}
	} else if err := d.Resend.Send(ctx, []queue.Message{probeMessage(sub, claimed, d.Now())}); err != nil {
		return fmt.Errorf("arrange probe: %w", err)
	}
	head, ours, err := d.changeHealth(ctx, head, func(h webhook.Health) (webhook.Health, bool) {
		mine := isNext(h.Breaker, asked)
		h.Breaker = claimed
		return h, mine
	})
	switch {
	case err != nil || !ours:
		return err
	case !claimed.Open():
		return d.closedBreaker(ctx, sub)
	}
	d.Count("breaker_probes", 1)
	return d.postProbe(ctx, head, waiting)
}

// isNext reports whether the breaker's next probe is the one that is asked for.
func isNext(b webhook.Breaker, asked message.Probe) bool {
	return b.Open() && opening(b) == asked.Opening && b.Probes == asked.Number
}

// probeChoice is how many of those that wait take turns as probes: one that
// its subscriber can never take must not keep it from the others.
const probeChoice = 16

// postProbe posts one of the waiting deliveries, another each time.
func (d *Deliverer) postProbe(ctx context.Context, head webhook.Head, waiting []string) error {
	sub, err := d.current(ctx, head)
	if err != nil {
		return err
	}
	for i := range waiting {
		id := waiting[(head.Health.Breaker.Probes-1+i)%len(waiting)]
		del, err := d.Store.Delivery(ctx, head.Tenant, id)
		switch {
		case errors.Is(err, webhook.ErrNotFound):
			continue
		case err != nil:
			return fmt.Errorf("read delivery %s: %w", id, err)
		case del.Status != webhook.Pending || !del.InLine():
			continue // the drain passes over it
		case gone(head, del.Version):
			return d.cancel(ctx, del, webhook.ReasonDeleted)
		}
		if ended, err := d.endOutdated(ctx, del, sub); err != nil {
			return err
		} else if ended {
			continue
		}
		return d.repeat(ctx, del, origin{lifecycle.Made{Round: del.Round, Step: del.Step, For: lifecycle.Probe}, head})
	}
	return nil
}

// probed draws the conclusion from a probe once it is recorded. One that
// passed is followed by the next at once.
func (d *Deliverer) probed(ctx context.Context, del webhook.Delivery, sub *subscriber, r result, from origin) error {
	now, b, passed := d.Now(), from.head.Health.Breaker, r.Outcome != retry.Retry
	spent := false
	head, ours, err := d.changeHealth(ctx, from.head, func(h webhook.Health) (next webhook.Health, news bool) {
		next = h
		if r.Outcome == retry.Success || r.Outcome == retry.Retry {
			next, news, spent = assessed(h, !passed, now)
		}
		if !h.Breaker.Since.Equal(b.Since) || h.Breaker.Probes != b.Probes {
			return next, news // a later probe is under way
		}
		next.Breaker = d.Breaker.Probed(h.Breaker, passed, now)
		return next, news || next.Breaker != h.Breaker
	})
	switch {
	case err != nil:
		return err
	case spent:
		return d.disable(ctx, del, sub, reasonFailing)
	case !ours || !passed:
		return nil
	case !head.Health.Breaker.Open():
		return d.closedBreaker(ctx, sub.ref())
	}
	return d.Resend.Send(ctx, []queue.Message{probeMessage(sub.ref(), head.Health.Breaker, now)})
}

// closedBreaker lets go what waits.
func (d *Deliverer) closedBreaker(ctx context.Context, sub webhook.SubscriptionRef) error {
	d.Count("breaker_closed", 1)
	d.Log.Warn("breaker closed", "tenant", sub.Tenant, "subscription", sub.ID)
	return d.Resend.Send(ctx, []queue.Message{drainMessage(sub)})
}

// overdue is how late a probe must be for its chain to be taken for broken.
const overdue = 2 * time.Minute

// mendChain asks for a breaker's next probe if that should have been long ago.
func (d *Deliverer) mendChain(ctx context.Context, head webhook.Head) error {
	if b := head.Health.Breaker; !b.Open() || d.Now().Sub(b.ProbeAt) < overdue {
		return nil
	}
	sub := webhook.SubscriptionRef{Tenant: head.Tenant, ID: head.ID}
	return d.Resend.Send(ctx, []queue.Message{probeMessage(sub, head.Health.Breaker, d.Now())})
}
