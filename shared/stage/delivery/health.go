package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/api/operational"
	"github.com/postino/postino/shared/callback/breaker"
	"github.com/postino/postino/shared/callback/courier"
	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/webhook"
)

// When nothing but failure disables a subscription.
const (
	mostFailing = 5 * 24 * time.Hour // of the contract
	silence     = 48 * time.Hour     // between two failures, after which the later one begins anew: twice the longest step of the default schedule
	refreshed   = time.Hour          // how old FailedAt may become: one write an hour while nothing succeeds
)

// reasonFailing is what the owner of a subscription reads that was disabled for
// its failures.
const reasonFailing = "five days of nothing but failure"

// assessed returns the health after an attempt, whether that is worth writing
// down, and whether the subscription has failed for too long. It is a pure
// function.
func assessed(h webhook.Health, failed bool, now time.Time) (next webhook.Health, news, spent bool) {
	now = now.UTC().Truncate(time.Millisecond)
	next = h
	switch {
	case !failed:
		next.FailingSince, next.FailedAt = time.Time{}, time.Time{}
		return next, !h.FailingSince.IsZero(), false
	case h.FailingSince.IsZero() || now.Sub(h.FailedAt) > silence:
		next.FailingSince, next.FailedAt = now, now
		return next, true, false
	case now.Sub(h.FailingSince) >= mostFailing:
		return h, false, true
	}
	if now.Sub(h.FailedAt) >= refreshed {
		next.FailedAt = now
		return next, true, false
	}
	return h, false, false
}

// health knows how subscribers do: it opens and closes their breakers, and disables
// those that have failed for too long.
type health struct {
	*Deliverer
	counter *breaker.Counter
}

// assess draws from an attempt what it says of its subscriber. It comes before
// the attempt is recorded: a success that ends five days of failure must not be
// forgotten because we died between the two. An answer that ends the delivery
// for good, other than well, says nothing: the subscriber is there.
//
// While all is well nothing is written. Of failures, each process writes once a
// second at most. What cannot be written now, the next attempt will tell again:
// so an error is only logged.
//
// It reports whether the subscription has failed for so long that it is to be
// disabled.
func (d *health) assess(ctx context.Context, sub *courier.Subscriber, r courier.Answer, from origin) (spent bool) {
	failed := r.Outcome == retry.Retry
	if !failed && r.Outcome != retry.Success {
		return false
	}
	var news breaker.News
	if from.InSchedule() {
		news = d.counter.Note(sub.Ref(), failed, d.Now())
	}
	if failed && !news.Opens && news.Report.Attempts == 0 || !failed && from.head.Health.FailingSince.IsZero() {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	opens, err := d.opens(ctx, sub, news)
	if err == nil {
		spent, err = d.note(ctx, sub, from.head, failed, opens)
	}
	if err != nil {
		d.Log.Warn("note how a subscriber does", "tenant", sub.Tenant, "subscription", sub.ID, "error", err)
	}
	return spent
}

// opens adds what was counted here to what all processes count, and reports
// whether that opens the breaker.
func (d *health) opens(ctx context.Context, sub *courier.Subscriber, news breaker.News) (bool, error) {
	if news.Opens || news.Report.Attempts == 0 {
		return news.Opens, nil
	}
	sum, err := d.Store.AddTally(ctx, sub.Ref(), news.Window, news.Report)
	if err != nil {
		return false, fmt.Errorf("add tally: %w", err)
	}
	return d.Breaker.Opens(sum), nil
}

// note writes down what is new, and carries out what follows.
func (d *health) note(ctx context.Context, sub *courier.Subscriber, head webhook.Head, failed, opens bool) (spent bool, err error) {
	now, opened := d.Now(), webhook.Breaker{}
	if opens && !head.Health.Breaker.Open() {
		opened = d.Breaker.Open(sub.Ref(), now)
		// Before the breaker is open: a probe that comes for nothing does no harm.
		if err := d.askProbe(ctx, sub.Ref(), opened); err != nil {
			return false, fmt.Errorf("arrange probe: %w", err)
		}
	}
	_, saved, err := d.change(ctx, head, func(h webhook.Health) (next webhook.Health, news bool) {
		next, news, spent = assessed(h, failed, now)
		if opened.Open() && !h.Breaker.Open() {
			next.Breaker = opened
			return next, true
		}
		opened = webhook.Breaker{} // by somebody else
		return next, news
	})
	if saved && opened.Open() {
		d.Count("breaker_opened", 1)
		d.Log.Warn("breaker opened", "tenant", sub.Tenant, "subscription", sub.ID)
	}
	return spent, err
}

// healthTries bounds the times a change is applied to a health that others
// keep changing.
const healthTries = 8

// change applies a change to the health of the head's version until
// nobody comes between. It returns the head as it is by then, and whether it
// was this call that changed it: not if there was no news, or if a new version
// began afresh.
func (d *health) change(ctx context.Context, head webhook.Head, change func(webhook.Health) (next webhook.Health, news bool)) (webhook.Head, bool, error) {
	version := webhook.VersionRef{Tenant: head.Tenant, ID: head.ID, Version: head.Version}
	for range healthTries {
		next, news := change(head.Health)
		if !news {
			return head, false, nil
		}
		err := d.Store.SaveHealth(ctx, version, next)
		if err == nil {
			next.Rev++
			head.Health = next
			return head, true, nil
		}
		if !errors.Is(err, webhook.ErrConflict) {
			return head, false, fmt.Errorf("save health: %w", err)
		}
		heads, err := d.Store.Heads(ctx, []webhook.SubscriptionRef{{Tenant: head.Tenant, ID: head.ID}})
		if err != nil {
			return head, false, fmt.Errorf("read subscription: %w", err)
		}
		if head = heads[0]; head.Version != version.Version {
			return head, false, nil
		}
	}
	return head, false, webhook.ErrConflict
}

// disable closes the subscription on its subscriber's own word. If its owner
// changed it meanwhile, that change stands. The delivery is the one that led to
// it. The line's audit, arranged first, tells of it if we have no time to.
func (d *health) disable(ctx context.Context, del webhook.Delivery, sub *courier.Subscriber, reason string) error {
	if sub.State != webhook.Active {
		return nil
	}
	next := sub.Subscription
	next.State, next.DisabledReason, next.UpdatedAt = webhook.Disabled, reason, d.Now().UTC().Truncate(time.Millisecond)
	if next.DisabledAt = next.UpdatedAt; del.EventSource == operational.Source {
		next.DisabledAt = time.Time{}
	}
	if err := d.Store.PutDue(ctx, auditOf(ref(del), d.Now())); err != nil {
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
