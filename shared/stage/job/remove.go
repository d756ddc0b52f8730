package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/webhook"
)

// Grace is how long a deleted subscription's versions and state are kept: what
// was under way when it went may need them until then. It is longer than a
// message that a dead process held stays hidden.
const Grace = 5 * time.Minute

// purgeAtOnce is how many items one call removes.
const purgeAtOnce = 250

// The stages of a deleted subscription's job.
const (
	stageHead    = iota // it goes, if whoever asked died before
	stagePending        // what waits is canceled
	stageGrace          // what was under way comes to its end
	stageLate           // what has come to wait meanwhile is canceled
	stagePurge          // state and versions go
	stageNothing        // the end
)

// removals removes what is left of deleted subscriptions.
type removals struct{ *Worker }

// decide looks for what is left of the life of a subscription that began
// at j.Born, and of none before or after it.
func (w removals) decide(ctx context.Context, j *webhook.Job) (found, error) {
	switch j.Stage {
	case stageHead:
		return found{}, w.removeHead(ctx, j)
	case stagePending, stageLate:
		return found{}, w.findPending(ctx, j)
	case stageGrace:
		j.Stage++
		return found{pause: Grace}, nil
	case stagePurge:
		return found{}, w.purge(ctx, j)
	}
	return found{over: true}, nil
}

// tries bounds how often a subscription is removed anew when others change it.
const tries = 10

// removeHead makes the deletion happen: it was decided when the job was stored.
func (w removals) removeHead(ctx context.Context, j *webhook.Job) error {
	sub := webhook.SubscriptionRef{Tenant: j.Tenant, ID: j.Subscription}
	for range tries {
		heads, err := w.Store.Heads(ctx, []webhook.SubscriptionRef{sub})
		if err != nil {
			return fmt.Errorf("read subscription: %w", err)
		}
		if heads[0].Version == 0 || heads[0].Born != j.Born {
			j.Stage++
			return nil
		}
		err = w.Store.DeleteSubscription(ctx, sub, heads[0].Version)
		if err != nil && !errors.Is(err, webhook.ErrConflict) && !errors.Is(err, webhook.ErrNotFound) {
			return fmt.Errorf("delete subscription: %w", err)
		}
	}
	return fmt.Errorf("delete subscription: %w", webhook.ErrConflict)
}

// findPending notes the next of those that still wait.
func (w removals) findPending(ctx context.Context, j *webhook.Job) error {
	listed, heads, err := w.list(ctx, j, webhook.Pending)
	if err != nil {
		return err
	}
	j.Decided, err = w.matching(ctx, *j, listed, func(d webhook.Delivery) bool {
		return d.Status == webhook.Pending && gone(heads[d.Subscription], d)
	})
	return err
}

// carryOut cancels what was decided and takes it out of the waiting line.
func (w removals) carryOut(ctx context.Context, j *webhook.Job) (time.Duration, error) {
	if err := w.cancelAll(ctx, j, w.cancel); err != nil {
		return 0, err
	}
	j.Counts.Matched += int64(len(j.Decided))
	j.Decided = nil
	return 0, nil
}

// cancelAll cancels the deliveries that were decided, each by a function that reports
// whether that is how it ended, and takes them out of the waiting line.
func (w *Worker) cancelAll(ctx context.Context, j *webhook.Job, cancel func(ctx context.Context, j webhook.Job, t webhook.JobTarget) (bool, error)) error {
	canceled := make([]bool, len(j.Decided))
	ids := make([]string, len(j.Decided))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(writers)
	for i, target := range j.Decided {
		ids[i] = target.Delivery
		g.Go(func() (err error) {
			canceled[i], err = cancel(gctx, *j, target)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("cancel: %w", err)
	}
	if err := w.Store.LeaveLine(ctx, webhook.SubscriptionRef{Tenant: j.Tenant, ID: j.Subscription}, ids); err != nil {
		return fmt.Errorf("leave line: %w", err)
	}
	for _, is := range canceled {
		if is {
			j.Counts.Canceled++
		} else {
			j.Counts.Skipped++
		}
	}
	return nil
}

// cancel ends a delivery of a deleted subscription, and reports whether that is
// how it ended: by us, now or before, or by an attempt that found it deleted.
func (w removals) cancel(ctx context.Context, j webhook.Job, target webhook.JobTarget) (bool, error) {
	id := target.Delivery
	d, err := w.Store.Delivery(ctx, j.Tenant, id)
	if errors.Is(err, webhook.ErrNotFound) {
		return false, nil // retention removed it
	}
	if err != nil {
		return false, fmt.Errorf("read delivery %s: %w", id, err)
	}
	d, _, err = w.life().Change(ctx, d, func(d webhook.Delivery) (lifecycle.Transition, bool, error) {
		return lifecycle.Cancel(d, webhook.ReasonDeleted, "", w.now()), d.Status == webhook.Pending, nil
	})
	return d.Reason == webhook.ReasonDeleted, err
}

// purge removes the next of state and versions. The tenant's version is read
// before the head: a life that begins in between has a greater one.
func (w removals) purge(ctx context.Context, j *webhook.Job) error {
	sub := webhook.SubscriptionRef{Tenant: j.Tenant, ID: j.Subscription}
	through, err := w.Store.TenantVersion(ctx, j.Tenant)
	if err != nil {
		return fmt.Errorf("read version of tenant: %w", err)
	}
	heads, err := w.Store.Heads(ctx, []webhook.SubscriptionRef{sub})
	if err != nil {
		return fmt.Errorf("read subscription: %w", err)
	}
	if heads[0].Version != 0 {
		through = min(through, heads[0].Born-1)
	}
	n, err := w.Store.PurgeSubscription(ctx, sub, through, purgeAtOnce)
	if err != nil {
		return fmt.Errorf("purge: %w", err)
	}
	if j.Counts.Removed += int64(n); n == 0 {
		j.Stage++
	}
	return nil
}
