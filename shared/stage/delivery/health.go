package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/callback/breaker"
	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/queue"
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
func (d *Deliverer) assess(ctx context.Context, sub *subscriber, r result, from origin) (spent bool) {
	failed := r.Outcome == retry.Retry
	if !failed && r.Outcome != retry.Success {
		return false
	}
	var news breaker.News
	if from.InSchedule() {
		news = d.counter.Note(sub.ref(), failed, d.Now())
	}
	if failed && !news.Opens && news.Report.Attempts == 0 || !failed && from.head.Health.FailingSince.IsZero() {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	opens, err := d.opens(ctx, sub, news)
	if err == nil {
		spent, err = d.noteHealth(ctx, sub, from.head, failed, opens)
	}
	if err != nil {
		d.Log.Warn("note how a subscriber does", "tenant", sub.Tenant, "subscription", sub.ID, "error", err)
	}
	return spent
}

// opens adds what was counted here to what all processes count, and reports
// whether that opens the breaker.
func (d *Deliverer) opens(ctx context.Context, sub *subscriber, news breaker.News) (bool, error) {
	if news.Opens || news.Report.Attempts == 0 {
		return news.Opens, nil
	}
	sum, err := d.Store.AddTally(ctx, sub.ref(), news.Window, news.Report)
	if err != nil {
		return false, fmt.Errorf("add tally: %w", err)
	}
	return d.Breaker.Opens(sum), nil
}

// noteHealth writes down what is new, and carries out what follows.
func (d *Deliverer) noteHealth(ctx context.Context, sub *subscriber, head webhook.Head, failed, opens bool) (spent bool, err error) {
	now, opened := d.Now(), webhook.Breaker{}
	if opens && !head.Health.Breaker.Open() {
		opened = d.Breaker.Open(sub.ref(), now)
		// Before the breaker is open: a probe that comes for nothing does no harm.
		if err := d.Resend.Send(ctx, []queue.Message{probeMessage(sub.ref(), opened, now)}); err != nil {
			return false, fmt.Errorf("arrange probe: %w", err)
		}
	}
	_, saved, err := d.changeHealth(ctx, head, func(h webhook.Health) (next webhook.Health, news bool) {
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

// changeHealth applies a change to the health of the head's version until
// nobody comes between. It returns the head as it is by then, and whether it
// was this call that changed it: not if there was no news, or if a new version
// began afresh.
func (d *Deliverer) changeHealth(ctx context.Context, head webhook.Head, change func(webhook.Health) (next webhook.Health, news bool)) (webhook.Head, bool, error) {
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
