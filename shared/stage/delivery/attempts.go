package delivery

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/callback/sendable"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

// early is how much before its time an attempt may be made: queues count
// whole seconds.
const early = time.Second

// claimSlack is how long a claim outlives the attempt's own deadline: time to
// record it.
const claimSlack = 30 * time.Second

// errClaimed reports that another worker is making this attempt. The message
// comes again, in case that worker dies.
var errClaimed = errors.New("attempt is claimed by another worker")

// firstAttempt posts a delivery for the first time: one read and one write, both
// shared with others, and one POST. If the delivery is stored already, what was
// written decides.
func (d *Deliverer) firstAttempt(ctx context.Context, f message.FirstAttempt, del webhook.Delivery, head webhook.Head) error {
	switch {
	case del.Rev == 0:
		del = lifecycle.Begin(f.Delivery())
	case del.Status != webhook.Pending || del.Round != 0 || del.Step != 0 || del.Waiting != "":
		return d.resume(ctx, del, origin{})
	}
	switch expunged, err := d.expunged(ctx, f); {
	case err != nil:
		return fmt.Errorf("read event of %s: %w", f.ID, err)
	case expunged:
		return d.cancel(ctx, del, webhook.ReasonExpired)
	}
	content := f.Content()
	sub, err := d.ready(ctx, del, head, &content, false)
	if err != nil || sub == nil {
		return err
	}
	if del.Rev > 0 { // tried by hand before its turn
		if del, err = d.claim(ctx, del); err != nil {
			return err
		}
	}
	target := f.Target
	if head.Version != f.Version {
		if target, err = d.target(ctx, del, sub); err != nil {
			return d.skip(ctx, del, err)
		}
	}
	return d.attempt(ctx, del, sub, target, content, origin{head: head})
}

// retry makes the attempt (Round, Step) of the schedule, if the delivery still
// waits for exactly that one.
func (d *Deliverer) retry(ctx context.Context, asked message.Attempt, head webhook.Head) error {
	from := origin{lifecycle.Made{Round: asked.Round, Step: asked.Step}, head}
	del, err := d.Store.Delivery(ctx, asked.Tenant, asked.Delivery)
	if errors.Is(err, webhook.ErrNotFound) {
		return nil // retention removed it
	}
	if err != nil {
		return fmt.Errorf("read delivery %s: %w", asked.Delivery, err)
	}
	if del.Status != webhook.Pending || del.Round != from.Round || del.Step != from.Step || !del.Timed() {
		return d.resume(ctx, del, from)
	}
	if del.NextAt.Sub(d.Now()) > early {
		return d.wake(ctx, del, asked.SecondTurn)
	}
	if sub, err := d.ready(ctx, del, head, nil, asked.SecondTurn); err != nil || sub == nil {
		return err
	}
	if del, err = d.claim(ctx, del); err != nil {
		return err
	}
	return d.repeat(ctx, del, from)
}

// newRound starts the schedule afresh, if the delivery is still exhausted in
// the round that the message names.
func (d *Deliverer) newRound(ctx context.Context, asked message.NewRound, head webhook.Head) error {
	del, err := d.Store.Delivery(ctx, asked.Tenant, asked.Delivery)
	if errors.Is(err, webhook.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read delivery %s: %w", asked.Delivery, err)
	}
	if del.Status == webhook.Pending && del.Round == asked.Round+1 && del.Step == 0 {
		return d.finish(ctx, del) // this message did it before
	}
	if del.Status != webhook.Exhausted || del.Round != asked.Round || gone(head, del.Version) {
		return nil
	}
	switch e, err := d.Store.Event(ctx, del.Tenant, del.EventSource, del.EventID); {
	case err == nil && e.Expunged:
		return nil // nothing is left to send: it stays as it ended
	case err != nil && !errors.Is(err, webhook.ErrNotFound):
		return fmt.Errorf("read event of %s: %w", del.ID, err)
	}
	_, err = d.life.Apply(ctx, lifecycle.SendAgain(del, d.Now()))
	return err
}

// byHand makes one attempt beside the schedule, whatever the delivery waits for.
func (d *Deliverer) byHand(ctx context.Context, asked message.AttemptByHand, head webhook.Head) error {
	del, err := d.Store.Delivery(ctx, asked.Tenant, asked.Delivery)
	if errors.Is(err, webhook.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read delivery %s: %w", asked.Delivery, err)
	}
	if gone(head, del.Version) {
		return d.cancel(ctx, del, webhook.ReasonDeleted)
	}
	return d.repeat(ctx, del, origin{lifecycle.Made{Round: del.Round, Step: del.Step, For: lifecycle.ByHand}, head})
}

// ready returns the subscriber if the delivery may be posted now, else nil. If
// its subscription is gone, or it was held until it is of no use, it is canceled;
// if its subscription is closed it is parked; if it is not its turn, it is put off.
func (d *Deliverer) ready(ctx context.Context, del webhook.Delivery, head webhook.Head, content *webhook.Content, secondTurn bool) (*subscriber, error) {
	if gone(head, del.Version) {
		return nil, d.cancel(ctx, del, webhook.ReasonDeleted)
	}
	if why := closed(head); why != "" {
		return nil, d.park(ctx, del, why, content)
	}
	sub, err := d.current(ctx, head)
	if err != nil {
		return nil, err
	}
	if ended, err := d.endOutdated(ctx, del, sub); err != nil || ended {
		return nil, err
	}
	if its, err := d.turn(ctx, del, sub, content, secondTurn); err != nil || !its {
		return nil, err
	}
	return sub, nil
}

// claim claims the attempt that the delivery waits for, unless another worker has.
func (d *Deliverer) claim(ctx context.Context, del webhook.Delivery) (webhook.Delivery, error) {
	now := d.Now()
	if del.Claim.Token != "" && now.Before(del.Claim.Until) {
		return del, errClaimed
	}
	return d.life.Save(ctx, lifecycle.Claim(del, rand.Text(), now.Add(retry.MaxTimeout+claimSlack)))
}

// repeat posts what is stored of a delivery, to where the subscription now
// says.
func (d *Deliverer) repeat(ctx context.Context, del webhook.Delivery, from origin) error {
	sub, err := d.current(ctx, from.head)
	if err != nil {
		return err
	}
	target, err := d.target(ctx, del, sub)
	if err != nil {
		return d.skip(ctx, del, err)
	}
	content, err := d.making.Content(ctx, del, sub.Version)
	if errors.Is(err, webhook.ErrNotFound) {
		d.Log.Warn("nothing left to send", "tenant", del.Tenant, "delivery", del.ID)
		return d.cancel(ctx, del, webhook.ReasonExpired) // expunged or expired: it would wait for ever
	}
	if err != nil {
		return d.skip(ctx, del, err)
	}
	return d.attempt(ctx, del, sub, target, content, from)
}

func (d *Deliverer) current(ctx context.Context, h webhook.Head) (*subscriber, error) {
	return d.subscribers.get(ctx, webhook.VersionRef{Tenant: h.Tenant, ID: h.ID, Version: h.Version})
}

// target renders where the delivery goes from the subscription as it is now.
// The error is a [*render.Skip] if it leads nowhere.
func (d *Deliverer) target(ctx context.Context, del webhook.Delivery, sub *subscriber) (webhook.Target, error) {
	e, err := d.making.Event(ctx, del)
	if err != nil {
		return webhook.Target{}, err
	}
	request, err := sub.compiled()
	if err != nil {
		return webhook.Target{}, fmt.Errorf("prepare subscription %s: %w", sub.ID, err)
	}
	return request.Target(e, sub.Subscription, sendable.Occasion(del))
}

// prepared is a version of a subscription as the maker of contents needs it.
func (d *Deliverer) prepared(ctx context.Context, ref webhook.VersionRef) (sendable.Prepared, error) {
	sub, err := d.subscribers.get(ctx, ref)
	if err != nil {
		return sendable.Prepared{}, err
	}
	request, err := sub.compiled()
	if err != nil {
		return sendable.Prepared{}, fmt.Errorf("prepare subscription %s: %w", sub.ID, err)
	}
	return sendable.Prepared{Subscription: sub.Subscription, Request: request, Secrets: sub.auth.Secrets()}, nil
}
