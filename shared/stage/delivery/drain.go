package delivery

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// How a waiting line is emptied: a subscriber that comes back is not to be
// knocked over by what it missed.
const (
	drainRate  = 100  // deliveries a second
	drainSlice = 1000 // deliveries that one message releases, over drainSlice/drainRate seconds
	drainers   = 16   // deliveries of a slice that are written at once
)

// sliceTime is the time over which one slice is spread.
const sliceTime = drainSlice * time.Second / drainRate

// leaseSlack is how long a drainer's lease outlives its slice: time for the
// next message to come.
const leaseSlack = time.Minute

// leaseTime is how long a drainer holds its lease, and leaseMargin how long
// before that it stops for certain: beyond it, nothing that it does may reach
// the line.
const (
	leaseTime   = sliceTime + leaseSlack
	leaseMargin = 10 * time.Second
)

const workDrain = "drain" // the name of the lease

// drain releases the next slice of a waiting line, if the subscription is open
// or deleted; otherwise it ends what has waited too long.
//
// A message that failed comes again with the same token, and takes up the lease
// that it left.
func (d *lines) drain(ctx context.Context, ref webhook.SubscriptionRef, head webhook.Head, token string) error {
	now := d.Now()
	held, err := d.Store.Lease(ctx, ref, workDrain, token, now, now.Add(leaseTime))
	if err != nil || !held {
		return err // another drainer looks again before it leaves, or its message comes again
	}
	ctx, cancel := context.WithTimeout(ctx, leaseTime-leaseMargin)
	defer cancel()
	if head.Version != 0 && closed(head) != "" {
		if err := errors.Join(d.expire(ctx, ref), d.health.mend(ctx, head)); err != nil {
			return err
		}
		return d.leave(ctx, ref, token)
	}
	p, err := d.pacing(ctx, head)
	if err != nil {
		return err
	}
	page, err := d.Store.Line(ctx, ref, "", p.most)
	if err != nil {
		return fmt.Errorf("read line: %w", err)
	}
	released, wait, err := d.reserve(ctx, ref, &p, len(page))
	if err != nil {
		return err
	}
	if err := d.release(ctx, ref, head, p, page[:released]); err != nil {
		return err
	}
	if len(page) == p.most || released < len(page) {
		return d.nextSlice(ctx, ref, token, wait)
	}
	return d.leave(ctx, ref, token)
}

// audit drains a line in case that nobody else does.
func (d *lines) audit(ctx context.Context, ref webhook.SubscriptionRef, head webhook.Head, token string) error {
	if err := d.announce.disabledBefore(ctx, ref); err != nil {
		return err
	}
	return d.drain(ctx, ref, head, token)
}

// nextSlice goes on with the line after a while. The lease is held until then.
func (d *lines) nextSlice(ctx context.Context, sub webhook.SubscriptionRef, token string, wait time.Duration) error {
	if wait > sliceTime {
		now := d.Now()
		if held, err := d.Store.Lease(ctx, sub, workDrain, token, now, now.Add(wait+leaseSlack)); err != nil || !held {
			return err
		}
	}
	return d.ask(ctx, message.Drain{Tenant: sub.Tenant, Subscription: sub.ID, Lease: token}, wait)
}

// leave gives up the lease and then looks once more: who entered the line
// while we held it, or opened the subscription, relies on us.
func (d *lines) leave(ctx context.Context, sub webhook.SubscriptionRef, token string) error {
	now := d.Now()
	if _, err := d.Store.Lease(ctx, sub, workDrain, token, now, now); err != nil {
		return err
	}
	heads, err := d.Store.Heads(ctx, []webhook.SubscriptionRef{sub})
	if err != nil {
		return fmt.Errorf("read subscription %s: %w", sub.ID, err)
	}
	if heads[0].Version != 0 && closed(heads[0]) != "" {
		return nil // its opening wakes the line
	}
	left, err := d.Store.Line(ctx, sub, "", 1)
	if err != nil || len(left) == 0 {
		return err
	}
	return d.ask(ctx, drain(sub), 0)
}

// release turns a slice of the line into attempts at the line's pace: the
// delivery is written, then its message sent, then its place given up.
func (d *lines) release(ctx context.Context, sub webhook.SubscriptionRef, head webhook.Head, p pacing, page []string) error {
	var mu sync.Mutex
	var wakes []queue.Message
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(drainers)
	for i, id := range page {
		at := p.start.Add(time.Duration(i) * p.every)
		g.Go(func() error {
			m, err := d.releaseOne(gctx, sub.Tenant, id, head, p.waiting, at)
			if err != nil || m == nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			wakes = append(wakes, *m)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("release line: %w", err)
	}
	if len(wakes) > 0 {
		if err := d.Retries.Send(ctx, wakes); err != nil {
			return fmt.Errorf("release line: %w", err)
		}
	}
	return d.Store.LeaveLine(ctx, sub, page)
}

// releaseOne plans one waiting delivery's attempt and returns its message; nil
// if it waits for none.
func (d *lines) releaseOne(ctx context.Context, tenant, id string, head webhook.Head, why webhook.Waiting, at time.Time) (*queue.Message, error) {
	del, err := d.Store.Delivery(ctx, tenant, id)
	if errors.Is(err, webhook.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if gone(head, del.Version) {
		return nil, d.steps.cancel(ctx, del, webhook.ReasonDeleted, "")
	}
	if del.Status == webhook.Pending && del.InLine() { // the slice is woken, and leaves the line, as a whole
		if del, err = d.life.Save(ctx, lifecycle.Release(del, why, at)); err != nil {
			return nil, err
		}
	}
	if del.Status != webhook.Pending || !del.Timed() {
		return nil, nil
	}
	m := message.Queued(message.NextAttempt(del), del.NextAt.Sub(d.Now()))
	return &m, nil
}

// expire ends what has waited longer than a delivery may, and has the line
// looked at again while anything waits.
func (d *lines) expire(ctx context.Context, sub webhook.SubscriptionRef) error {
	page, err := d.Store.Line(ctx, sub, "", drainSlice)
	if err != nil {
		return fmt.Errorf("read line: %w", err)
	}
	for _, id := range page {
		accepted, _, err := webhook.ParseDeliveryID(id)
		if err != nil || d.Now().Sub(accepted) <= webhook.MaxWait {
			break // the line is in order of acceptance: nobody behind can have waited longer
		}
		if err := d.expireOne(ctx, sub, id); err != nil {
			return err
		}
	}
	if len(page) == 0 {
		return nil
	}
	return d.Store.PutDue(ctx, auditOf(sub, d.Now()))
}

func (d *lines) expireOne(ctx context.Context, sub webhook.SubscriptionRef, id string) error {
	del, err := d.Store.Delivery(ctx, sub.Tenant, id)
	if errors.Is(err, webhook.ErrNotFound) {
		return d.Store.LeaveLine(ctx, sub, []string{id})
	}
	if err != nil {
		return err
	}
	if del.InLine() {
		if d.Now().Sub(del.WaitingSince) <= webhook.MaxWait {
			return nil
		}
		_, err := d.life.Apply(ctx, lifecycle.Exhaust(del, webhook.ReasonExpired, d.Now()))
		return err
	}
	if err := d.steps.finish(ctx, del); err != nil { // that an earlier pass ended
		return err
	}
	return d.Store.LeaveLine(ctx, sub, []string{id})
}
