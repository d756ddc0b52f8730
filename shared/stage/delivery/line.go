package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/postino/postino/shared/language/weighed"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// lines keeps the waiting lines of subscriptions: it enters them, has them looked
// at, and empties them.
type lines struct {
	*Deliverer
	audits *weighed.Cache[webhook.SubscriptionRef, time.Time] // the audit that this process has arranged
}

// join enters the waiting line after the delivery was stored as waiting. Then
// it checks whether the subscription was opened meanwhile. So either the code that
// opens it finds the entry, or joinLine finds it open.
func (d *lines) join(ctx context.Context, del webhook.Delivery) error {
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
		return d.health.mend(ctx, heads[0])
	}
	return d.wakeLine(ctx, del)
}

// drained reports whether a drainer is at work on the line that a delivery enters.
func (d *lines) drained(ctx context.Context, del webhook.Delivery) (bool, error) {
	now := d.Now()
	free, err := d.Store.Lease(ctx, ref(del), workDrain, del.ID, now, now)
	return !free && err == nil, err
}

// wakeLine has a line emptied that the delivery has entered, unless somebody is
// at it: a drainer looks at the line once more after it gave up its lease.
func (d *lines) wakeLine(ctx context.Context, del webhook.Delivery) error {
	if drained, err := d.drained(ctx, del); err != nil || drained {
		return err
	}
	return d.ask(ctx, drain(ref(del)), 0)
}

// outlast has the delivery enter the line again when a drainer that is at work
// now must have ended: that one may have released this delivery just before,
// and would then take its new place in the line for the old one. It comes
// before the line is entered: a drainer that begins later sees that the
// delivery waits again.
func (d *lines) outlast(ctx context.Context, del webhook.Delivery) error {
	if drained, err := d.drained(ctx, del); err != nil || !drained {
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
func (d *lines) arrangeAudit(ctx context.Context, sub webhook.SubscriptionRef) error {
	due := auditOf(sub, d.Now())
	if at, ok := d.audits.Get(sub); ok && at.Equal(due.At) {
		return nil
	}
	if err := d.Store.PutDue(ctx, due); err != nil {
		return err
	}
	d.audits.Put(sub.Tenant, sub, due.At, auditWeight)
	return nil
}

// auditOf is the due pointer that has a line looked at in the coming hour. All
// who park in one hour write the same one.
func auditOf(sub webhook.SubscriptionRef, now time.Time) webhook.Due {
	at := now.UTC().Truncate(time.Hour).Add(time.Hour)
	if at.Sub(now) <= queue.MaxDelay {
		at = at.Add(time.Hour)
	}
	return message.AuditLine{Tenant: sub.Tenant, Subscription: sub.ID}.Due(at)
}

// drain is the task that begins to empty a line.
func drain(sub webhook.SubscriptionRef) message.Drain {
	return message.Drain{Tenant: sub.Tenant, Subscription: sub.ID}
}
