package delivery

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/postino/postino/shared/callback/courier"
	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

// An open breaker has one chain of messages: each asks for one probe, and the
// next is queued before that is claimed. So the chain goes on whoever dies, and
// a copy of a message finds its probe claimed.

// askProbe asks for the next probe of an open breaker, at its time.
func (d *health) askProbe(ctx context.Context, sub webhook.SubscriptionRef, b webhook.Breaker) error {
	p := message.Probe{Tenant: sub.Tenant, Subscription: sub.ID, Opening: opening(b), Number: b.Probes}
	return d.ask(ctx, p, b.ProbeAt.Sub(d.Now()))
}

// opening names one time that a breaker is open.
func opening(b webhook.Breaker) string { return strconv.FormatInt(b.Since.UnixMilli(), 36) }

// probe makes the probe that the message asks for: it posts one of the
// deliveries that wait. If none does, the breaker closes: the next delivery
// will tell.
func (d *health) probe(ctx context.Context, asked message.Probe, head webhook.Head) error {
	b, sub := head.Health.Breaker, asked.Ref()
	switch {
	case !b.Open(): // closed meanwhile, perhaps by a new version, which wakes nobody
		return d.ask(ctx, drain(sub), 0)
	case !isNext(b, asked):
		return nil
	case b.ProbeAt.Sub(d.Now()) > early:
		return d.askProbe(ctx, sub, b)
	}
	waiting, err := d.Store.Line(ctx, sub, "", probeChoice)
	if err != nil {
		return fmt.Errorf("read line: %w", err)
	}
	claimed := d.Breaker.Claimed(b, sub, d.Now())
	if len(waiting) == 0 {
		claimed = webhook.Breaker{}
	} else if err := d.askProbe(ctx, sub, claimed); err != nil {
		return fmt.Errorf("arrange probe: %w", err)
	}
	head, ours, err := d.change(ctx, head, func(h webhook.Health) (webhook.Health, bool) {
		mine := isNext(h.Breaker, asked)
		h.Breaker = claimed
		return h, mine
	})
	switch {
	case err != nil || !ours:
		return err
	case !claimed.Open():
		return d.recovered(ctx, sub)
	}
	d.Count("breaker_probes", 1)
	return d.attempts.probe(ctx, head, waiting)
}

// isNext reports whether the breaker's next probe is the one that is asked for.
func isNext(b webhook.Breaker, asked message.Probe) bool {
	return b.Open() && opening(b) == asked.Opening && b.Probes == asked.Number
}

// probeChoice is how many of those that wait take turns as probes: one that
// its subscriber can never take must not keep it from the others.
const probeChoice = 16

// probed draws the conclusion from a probe once it is recorded. One that
// passed is followed by the next at once.
func (d *health) probed(ctx context.Context, del webhook.Delivery, sub *courier.Subscriber, r courier.Answer, from origin) error {
	now, b, passed := d.Now(), from.head.Health.Breaker, r.Outcome != retry.Retry
	spent := false
	head, ours, err := d.change(ctx, from.head, func(h webhook.Health) (next webhook.Health, news bool) {
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
		return d.recovered(ctx, sub.Ref())
	}
	return d.askProbe(ctx, sub.Ref(), head.Health.Breaker)
}

// recovered lets go what waits.
func (d *health) recovered(ctx context.Context, sub webhook.SubscriptionRef) error {
	d.Count("breaker_closed", 1)
	d.Log.Warn("breaker closed", "tenant", sub.Tenant, "subscription", sub.ID)
	return d.ask(ctx, drain(sub), 0)
}

// overdue is how late a probe must be for its chain to be taken for broken.
const overdue = 2 * time.Minute

// mend asks for a breaker's next probe if that should have been long ago.
func (d *health) mend(ctx context.Context, head webhook.Head) error {
	if b := head.Health.Breaker; !b.Open() || d.Now().Sub(b.ProbeAt) < overdue {
		return nil
	}
	sub := webhook.SubscriptionRef{Tenant: head.Tenant, ID: head.ID}
	return d.askProbe(ctx, sub, head.Health.Breaker)
}
