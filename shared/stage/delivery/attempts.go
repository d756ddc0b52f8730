package delivery

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/callback/courier"
	"github.com/postino/postino/shared/callback/render"
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

// attempts decides whether an attempt is to be made, makes it and records it. Of
// each delivery it gets what is stored, which has Rev 0 if nothing is.
type attempts struct {
	*Deliverer
	making sendable.Maker
}

// first posts a delivery for the first time: one read and one write, both
// shared with others, and one POST. If the delivery is stored already, what was
// written decides.
func (d *attempts) first(ctx context.Context, f message.FirstAttempt, del webhook.Delivery, head webhook.Head) error {
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
		return d.steps.cancel(ctx, del, webhook.ReasonExpired, "")
	}
	content := f.Content()
	sub, err := d.ready(ctx, del, head, &content, false)
	if err != nil || sub == nil {
		return err
	}
	if sub.Pull {
		return d.pulls.wait(ctx, del, &content)
	}
	if del.Rev > 0 { // tried by hand before its turn
		if del, err = d.claim(ctx, del); err != nil {
			return err
		}
	}
	target := f.Target
	if head.Version != f.Version || render.MayReadAttempt(sub.Subscription) {
		if target, err = d.target(ctx, del, sub); err != nil {
			return d.steps.skip(ctx, del, err)
		}
	}
	return d.make(ctx, del, sub, target, content, origin{head: head})
}

// expunged reports whether the payload of a first attempt's event was removed
// while its message was under way. It is asked where expunging cannot have
// stored the delivery: if its plan does not say that there will be one.
func (d *attempts) expunged(ctx context.Context, f message.FirstAttempt) (bool, error) {
	sub, err := d.subscribers.Get(ctx, webhook.VersionRef{Tenant: f.Tenant, ID: f.Subscription, Version: f.Version})
	switch {
	case errors.Is(err, webhook.ErrNotFound): // retention removed it: its trigger may have had a say
	case err != nil:
		return false, err
	case f.Occasion == "" && len(sub.Trigger) == 0 && sub.MaxAge == "":
		return false, nil
	}
	e, err := d.Store.Event(ctx, f.Tenant, f.Source, f.Event)
	if errors.Is(err, webhook.ErrNotFound) {
		return false, nil
	}
	return e.Expunged, err
}

// retry makes the attempt (Round, Step) of the schedule, if the delivery still
// waits for exactly that one.
func (d *attempts) retry(ctx context.Context, asked message.Attempt, del webhook.Delivery, head webhook.Head) error {
	from := origin{lifecycle.Made{Round: asked.Round, Step: asked.Step}, head}
	switch {
	case del.Rev == 0:
		return nil // retention removed it
	case del.Status != webhook.Pending || del.Round != from.Round || del.Step != from.Step || !del.Timed():
		return d.resume(ctx, del, from)
	case del.NextAt.Sub(d.Now()) > early:
		return d.steps.wake(ctx, del, asked.SecondTurn)
	}
	sub, err := d.ready(ctx, del, head, nil, asked.SecondTurn)
	if err != nil || sub == nil {
		return err
	}
	if sub.Pull {
		return d.pulls.wait(ctx, del, nil)
	}
	del, err = d.claim(ctx, del)
	if err != nil {
		return err
	}
	return d.repeat(ctx, del, from)
}

// newRound starts the schedule afresh, if the delivery is still exhausted in
// the round that the message names.
func (d *attempts) newRound(ctx context.Context, asked message.NewRound, del webhook.Delivery, head webhook.Head) error {
	if del.Status == webhook.Pending && del.Round == asked.Round+1 && del.Step == 0 {
		return d.steps.finish(ctx, del) // this message did it before
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
	_, err := d.life.Apply(ctx, lifecycle.SendAgain(del, d.Now()))
	return err
}

// byHand makes one attempt beside the schedule, whatever the delivery waits for.
func (d *attempts) byHand(ctx context.Context, del webhook.Delivery, head webhook.Head) error {
	switch {
	case del.Rev == 0:
		return nil // retention removed it
	case gone(head, del.Version):
		return d.steps.cancel(ctx, del, webhook.ReasonDeleted, "")
	}
	sub, err := d.current(ctx, head)
	if err != nil {
		return err
	}
	if sub.Pull {
		return d.pulls.byHand(ctx, del)
	}
	return d.repeat(ctx, del, origin{lifecycle.Made{Round: del.Round, Step: del.Step, For: lifecycle.ByHand}, head})
}

// probe posts one of the waiting deliveries, another each time.
func (d *attempts) probe(ctx context.Context, head webhook.Head, waiting []string) error {
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
			return d.steps.cancel(ctx, del, webhook.ReasonDeleted, "")
		}
		if ended, err := d.holds.end(ctx, del, sub); err != nil {
			return err
		} else if ended {
			continue
		}
		return d.repeat(ctx, del, origin{lifecycle.Made{Round: del.Round, Step: del.Step, For: lifecycle.Probe}, head})
	}
	return nil
}

// ready returns the subscriber if the delivery may be posted now, else nil. If
// its subscription is gone, or it was held until it is of no use, it is canceled;
// if its subscription is closed it is parked; if it is not its turn, it is put off.
func (d *attempts) ready(ctx context.Context, del webhook.Delivery, head webhook.Head, content *webhook.Content, secondTurn bool) (*courier.Subscriber, error) {
	if gone(head, del.Version) {
		return nil, d.steps.cancel(ctx, del, webhook.ReasonDeleted, "")
	}
	if why := closed(head); why != "" {
		return nil, d.steps.park(ctx, del, why, content)
	}
	sub, err := d.current(ctx, head)
	if err != nil {
		return nil, err
	}
	if ended, err := d.holds.end(ctx, del, sub); err != nil || ended {
		return nil, err
	}
	if its, err := d.turns.its(ctx, del, sub, content, secondTurn); err != nil || !its {
		return nil, err
	}
	return sub, nil
}

// claim claims the attempt that the delivery waits for, unless another worker has.
func (d *attempts) claim(ctx context.Context, del webhook.Delivery) (webhook.Delivery, error) {
	now := d.Now()
	if del.Claim.Token != "" && now.Before(del.Claim.Until) {
		return del, errClaimed
	}
	return d.life.Save(ctx, lifecycle.Claim(del, rand.Text(), now.Add(retry.MaxTimeout+claimSlack)))
}

// repeat posts what is stored of a delivery, to where the subscription now
// says.
func (d *attempts) repeat(ctx context.Context, del webhook.Delivery, from origin) error {
	sub, err := d.current(ctx, from.head)
	if err != nil {
		return err
	}
	target, err := d.target(ctx, del, sub)
	if err != nil {
		return d.steps.skip(ctx, del, err)
	}
	content, err := d.making.Content(ctx, del, sub.Version)
	if errors.Is(err, webhook.ErrNotFound) {
		d.Log.Warn("nothing left to send", "tenant", del.Tenant, "delivery", del.ID)
		return d.steps.cancel(ctx, del, webhook.ReasonExpired, "") // expunged or expired: it would wait for ever
	}
	if err != nil {
		return d.steps.skip(ctx, del, err)
	}
	return d.make(ctx, del, sub, target, content, from)
}

// target renders where the delivery goes from the subscription as it is now.
// The error is a [*render.Skip] if it leads nowhere.
func (d *attempts) target(ctx context.Context, del webhook.Delivery, sub *courier.Subscriber) (webhook.Target, error) {
	e, err := d.making.Event(ctx, del)
	if err != nil {
		return webhook.Target{}, err
	}
	request, err := sub.Compiled()
	if err != nil {
		return webhook.Target{}, fmt.Errorf("prepare subscription %s: %w", sub.ID, err)
	}
	occasion := sendable.Occasion(del)
	occasion.Attempt, occasion.At = del.Attempts+1, d.Now()
	return request.Target(e, sub.Subscription, occasion)
}

// current is the subscriber of a subscription as it stands now.
func (d *Deliverer) current(ctx context.Context, h webhook.Head) (*courier.Subscriber, error) {
	return d.subscribers.Get(ctx, webhook.VersionRef{Tenant: h.Tenant, ID: h.ID, Version: h.Version})
}

// prepared is a version of a subscription as the maker of contents needs it.
func (d *Deliverer) prepared(ctx context.Context, ref webhook.VersionRef) (sendable.Prepared, error) {
	sub, err := d.subscribers.Get(ctx, ref)
	if err != nil {
		return sendable.Prepared{}, err
	}
	request, err := sub.Compiled()
	if err != nil {
		return sendable.Prepared{}, fmt.Errorf("prepare subscription %s: %w", sub.ID, err)
	}
	return sendable.Prepared{Subscription: sub.Subscription, Request: request, Secrets: sub.AuthSecrets()}, nil
}
