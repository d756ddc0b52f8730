package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/api/operational"
	"github.com/postino/postino/shared/language/weighed"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// park makes the delivery wait until its subscription opens.
func (d *Deliverer) park(ctx context.Context, del webhook.Delivery, why webhook.Waiting, content *webhook.Content) error {
	d.strains.of(del.Tenant).note(true)
	t := lifecycle.Park(del, why, d.Now()).Keeping(content)
	saved, err := d.life.Save(ctx, t)
	if err != nil {
		return fmt.Errorf("park %s: %w", del.ID, err)
	}
	d.Count("deliveries_parked", 1)
	return d.life.CarryOut(ctx, saved, t.Effects)
}

// joinLine enters the waiting line after the delivery was stored as waiting. Then
// it checks whether the subscription was opened meanwhile. So either the code that
// opens it finds the entry, or joinLine finds it open.
func (d *Deliverer) joinLine(ctx context.Context, del webhook.Delivery) error {
	if del.Rev > 1 { // else it has never been released
		if err := d.outlast(ctx, del); err != nil {
			return fmt.Errorf("outlast drain: %w", err)
		}
	}
	if err := d.Store.EnterLine(ctx, ref(del), del.ID); err != nil {
		return fmt.Errorf("enter line: %w", err)
	}
	if err := d.arrangeAudit(ctx, ref(del)); err != nil {
		return fmt.Errorf("arrange audit: %w", err)
	}
	heads, err := d.Store.Heads(ctx, []webhook.SubscriptionRef{ref(del)})
	if err != nil {
		return fmt.Errorf("read subscription %s: %w", del.Subscription, err)
	}
	if !gone(heads[0], del.Version) && closed(heads[0]) != "" {
		return d.mendChain(ctx, heads[0])
	}
	return d.wakeLine(ctx, del)
}

// wakeLine has a line emptied that the delivery has entered, unless somebody is
// at it: a drainer looks at the line once more after it gave up its lease.
func (d *Deliverer) wakeLine(ctx context.Context, del webhook.Delivery) error {
	now := d.Now()
	free, err := d.Store.Lease(ctx, ref(del), workDrain, del.ID, now, now)
	if err != nil || !free {
		return err
	}
	return d.Resend.Send(ctx, []queue.Message{drainMessage(ref(del))})
}

// outlast has the delivery enter the line again when a drainer that is at work
// now must have ended: that one may have released this delivery just before,
// and would then take its new place in the line for the old one. It comes
// before the line is entered: a drainer that begins later sees that the
// delivery waits again.
func (d *Deliverer) outlast(ctx context.Context, del webhook.Delivery) error {
	now := d.Now()
	free, err := d.Store.Lease(ctx, ref(del), workDrain, del.ID, now, now)
	if err != nil || free {
		return err
	}
	return d.Retries.Send(ctx, []queue.Message{message.Queued(message.NextAttempt(del), leaseTime)})
}

// Bounds of the lines whose audit a process remembers. One that is forgotten costs
// a write; those of a tenant that has more than its share are forgotten first.
const (
	cachedAudits = 10_000
	ownedAudits  = 2_500
	auditWeight  = 64 // bytes
)

func newAudits() *weighed.Cache[webhook.SubscriptionRef, time.Time] {
	const one = auditWeight + weighed.Overhead
	return weighed.New[webhook.SubscriptionRef, time.Time](cachedAudits*one, ownedAudits*one, nil)
}

// arrangeAudit has the line looked at. Of the many that enter it in one hour,
// each process writes the pointer once: it stays until it is due.
func (d *Deliverer) arrangeAudit(ctx context.Context, sub webhook.SubscriptionRef) error {
	due := audit(sub, d.Now())
	if at, ok := d.audits.Get(sub); ok && at.Equal(due.At) {
		return nil
	}
	if err := d.Store.PutDue(ctx, due); err != nil {
		return err
	}
	d.audits.Put(sub.Tenant, sub, due.At, auditWeight)
	return nil
}

// audit is the due pointer that has a line looked at in the coming hour. All
// who park in one hour write the same one.
func audit(sub webhook.SubscriptionRef, now time.Time) webhook.Due {
	at := now.UTC().Truncate(time.Hour).Add(time.Hour)
	if at.Sub(now) <= queue.MaxDelay {
		at = at.Add(time.Hour)
	}
	return message.AuditLine{Tenant: sub.Tenant, Subscription: sub.ID}.Due(at)
}

// drainMessage begins a drain.
func drainMessage(sub webhook.SubscriptionRef) queue.Message {
	return message.Queued(message.Drain{Tenant: sub.Tenant, Subscription: sub.ID}, 0)
}

// disable closes the subscription on its subscriber's own word. If its owner
// changed it meanwhile, that change stands. The delivery is the one that led to
// it. The line's audit, arranged first, tells of it if we have no time to.
func (d *Deliverer) disable(ctx context.Context, del webhook.Delivery, sub *subscriber, reason string) error {
	if sub.State != webhook.Active {
		return nil
	}
	next := sub.Subscription
	next.State, next.DisabledReason, next.UpdatedAt = webhook.Disabled, reason, d.Now().UTC().Truncate(time.Millisecond)
	if next.DisabledAt = next.UpdatedAt; del.EventSource == operational.Source {
		next.DisabledAt = time.Time{}
	}
	if err := d.Store.PutDue(ctx, audit(ref(del), d.Now())); err != nil {
		return fmt.Errorf("arrange audit: %w", err)
	}
	saved, err := d.Store.SaveSubscription(ctx, next, sub.Version)
	if errors.Is(err, webhook.ErrConflict) || errors.Is(err, webhook.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("disable subscription %s of %s: %w", sub.ID, sub.Tenant, err)
	}
	d.Count("subscriptions_disabled", 1)
	d.Log.Warn("subscription disabled", "tenant", sub.Tenant, "subscription", sub.ID, "reason", reason)
	return d.announce.disabled(ctx, saved)
}
