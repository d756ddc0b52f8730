package job

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/callback/sendable"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

const (
	rate    = 100 // deliveries a second that one job sends again, as many as a waiting line lets go
	writers = 16  // deliveries of a slice that are written at once
)

// LeaseTime is how long a recover holds its lease, [webhook.RecoverLease],
// beyond its last slice.
const LeaseTime = 15 * time.Minute

// Lease names what only one recover at a time may hold.
func Lease(j webhook.Job) webhook.SubscriptionRef {
	return webhook.SubscriptionRef{Tenant: j.Tenant, ID: j.Subscription}
}

// hold reports whether the job may go on. If it was forgotten for so long that
// another one began, that one comes first.
func (w *Worker) hold(ctx context.Context, j webhook.Job) (bool, error) {
	if j.Kind != webhook.JobRecover {
		return true, nil
	}
	now := w.now()
	held, err := w.Store.Lease(ctx, Lease(j), webhook.RecoverLease, j.ID, now, now.Add(LeaseTime))
	if err != nil {
		return false, fmt.Errorf("lease: %w", err)
	}
	if !held {
		return false, w.audit(ctx, j)
	}
	return true, nil
}

// yield lets another recover begin.
func (w *Worker) yield(ctx context.Context, j webhook.Job) error {
	if j.Kind != webhook.JobRecover {
		return nil
	}
	now := w.now()
	if _, err := w.Store.Lease(ctx, Lease(j), webhook.RecoverLease, j.ID, now, now); err != nil {
		return fmt.Errorf("end lease: %w", err)
	}
	return nil
}

// recovers sends again what has ended badly.
type recovers struct{ *Worker }

// decide looks at the next page of the list and notes what is to be sent
// again.
func (w recovers) decide(ctx context.Context, j *webhook.Job) (found, error) {
	if j.Stage > 0 {
		return found{over: true}, nil
	}
	listed, heads, err := w.list(ctx, j, j.Of)
	if err != nil {
		return found{}, err
	}
	if j.Subscription != "" && (heads[j.Subscription].Version == 0 || heads[j.Subscription].Born != j.Born) {
		j.Status, j.Detail = webhook.JobStopped, "The subscription was deleted."
		return found{over: true}, nil
	}
	targets, err := w.matching(ctx, *j, listed, func(d webhook.Delivery) bool {
		return d.Status == j.Of && !gone(heads[d.Subscription], d)
	})
	if err != nil {
		return found{}, err
	}
	j.Counts.Matched += int64(len(targets))
	if !j.DryRun {
		j.Decided = targets
	}
	return found{}, nil
}

// list reads the next page of deliveries in a status, with their subscriptions
// as they are now, and moves the job on behind it; at the end to its next
// stage.
func (w *Worker) list(ctx context.Context, j *webhook.Job, status webhook.Status) ([]webhook.Delivery, map[string]webhook.Head, error) {
	filter := webhook.DeliveryFilter{Subscription: j.Subscription, Status: status}
	page := webhook.Page{Limit: webhook.JobSlice, Position: j.Position, After: j.After, Before: j.Before}
	listed, next, err := w.Store.PageDeliveries(ctx, j.Tenant, filter, page)
	if err != nil { // not even a position is anybody's but ours
		return nil, nil, fmt.Errorf("list deliveries: %s", err)
	}
	heads, err := w.heads(ctx, *j, listed)
	if err != nil {
		return nil, nil, err
	}
	if len(listed) > 0 && j.Kind == webhook.JobRecover {
		j.Reached = listed[len(listed)-1].CreatedAt
	}
	if j.Position = next; next == "" {
		j.Stage++
	}
	return listed, heads, nil
}

// heads returns the deliveries' subscriptions as they are now, by id, and the
// job's own.
func (w *Worker) heads(ctx context.Context, j webhook.Job, deliveries []webhook.Delivery) (map[string]webhook.Head, error) {
	seen := map[string]bool{}
	var refs []webhook.SubscriptionRef
	add := func(id string) {
		if id != "" && !seen[id] {
			seen[id] = true
			refs = append(refs, webhook.SubscriptionRef{Tenant: j.Tenant, ID: id})
		}
	}
	add(j.Subscription)
	for _, d := range deliveries {
		add(d.Subscription)
	}
	if len(refs) == 0 {
		return nil, nil
	}
	heads, err := w.Store.Heads(ctx, refs)
	if err != nil {
		return nil, fmt.Errorf("read subscriptions: %w", err)
	}
	byID := make(map[string]webhook.Head, len(heads))
	for i, h := range heads {
		byID[refs[i].ID] = h
	}
	return byID, nil
}

// matching reads the listed deliveries once more, since a list may lag, and
// returns those that the job is about.
func (w *Worker) matching(ctx context.Context, j webhook.Job, listed []webhook.Delivery, wanted func(webhook.Delivery) bool) ([]webhook.JobTarget, error) {
	ids := make([]string, len(listed))
	for i, d := range listed {
		ids[i] = d.ID
	}
	stored, err := w.Store.DeliveriesByID(ctx, j.Tenant, ids)
	if err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	var targets []webhook.JobTarget
	for _, id := range ids {
		if d, isStored := stored[id]; isStored && wanted(d) {
			targets = append(targets, webhook.JobTarget{Delivery: id, Round: d.Round})
		}
	}
	return targets, nil
}

// gone reports whether the delivery's subscription was deleted; another with
// the same id, born later, is not its own.
func gone(h webhook.Head, d webhook.Delivery) bool { return h.Version == 0 || h.Born > d.Version }

// carryOut sends again what was decided, spread over the time that it returns.
func (w recovers) carryOut(ctx context.Context, j *webhook.Job) (time.Duration, error) {
	var mu sync.Mutex
	var wakes []queue.Message
	sent, start := 0, w.now()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(writers)
	for i, target := range j.Decided {
		at := start.Add(time.Duration(i) * time.Second / rate)
		g.Go(func() error {
			m, began, err := w.sendAgain(gctx, *j, target, at)
			mu.Lock()
			defer mu.Unlock()
			if began {
				sent++
			}
			if m != nil {
				wakes = append(wakes, *m)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return 0, fmt.Errorf("send again: %w", err)
	}
	if len(wakes) > 0 {
		if err := w.Retries.Send(ctx, wakes); err != nil {
			return 0, fmt.Errorf("send again: %w", err)
		}
	}
	j.Counts.Sent += int64(sent)
	j.Counts.Skipped += int64(len(j.Decided) - sent)
	took := time.Duration(len(j.Decided)) * time.Second / rate
	j.Decided = nil
	return took, nil
}

// sendAgain begins another round of a delivery, unless that was done before, or
// the delivery has become something else. It returns the message for the
// attempt if that is still to come.
func (w recovers) sendAgain(ctx context.Context, j webhook.Job, target webhook.JobTarget, at time.Time) (m *queue.Message, began bool, err error) {
	d, err := w.Store.Delivery(ctx, j.Tenant, target.Delivery)
	if errors.Is(err, webhook.ErrNotFound) {
		return nil, false, nil // retention removed it
	}
	if err != nil {
		return nil, false, fmt.Errorf("read delivery %s: %w", target.Delivery, err)
	}
	d, _, err = w.life().Change(ctx, d, func(d webhook.Delivery) (t lifecycle.Transition, again bool, err error) {
		if began = d.Round != target.Round; began {
			return t, false, nil
		}
		again, err = w.sendable(ctx, j, d)
		began = again
		return lifecycle.SendAgain(d, at), again, err
	})
	if err != nil || !began {
		return nil, false, err
	}
	return w.wake(d, target), true, nil
}

// sendable reports whether the delivery is still what was decided upon, and
// there is something to send: of an expunged event nothing is. One that was
// never rendered is tried.
func (w recovers) sendable(ctx context.Context, j webhook.Job, d webhook.Delivery) (bool, error) {
	if d.Status != j.Of {
		return false, nil
	}
	if d.Digest == "" {
		return w.makes(ctx, d)
	}
	e, err := w.Store.Event(ctx, d.Tenant, d.EventSource, d.EventID)
	if err != nil && !errors.Is(err, webhook.ErrNotFound) { // its body may have outlived it
		return false, fmt.Errorf("read event of %s: %w", d.ID, err)
	}
	return !e.Expunged, nil
}

// makes reports whether its subscription, as it is now, makes something of a
// delivery.
func (w recovers) makes(ctx context.Context, d webhook.Delivery) (bool, error) {
	heads, err := w.Store.Heads(ctx, []webhook.SubscriptionRef{{Tenant: d.Tenant, ID: d.Subscription}})
	if err != nil {
		return false, fmt.Errorf("read subscription %s: %w", d.Subscription, err)
	}
	if gone(heads[0], d) {
		return false, nil
	}
	maker := sendable.Maker{Store: w.Store, Prepare: sendable.Preparing(w.Store, w.Secrets)}
	skip, err := maker.Check(ctx, d, heads[0].Version)
	return skip == nil, err
}

// wake is the message for the round's first attempt; nil if that was made.
func (w recovers) wake(d webhook.Delivery, target webhook.JobTarget) *queue.Message {
	if d.Status != webhook.Pending || d.Round != target.Round+1 || d.Step != 0 || d.Waiting != webhook.WaitRetry {
		return nil
	}
	m := message.Queued(message.NextAttempt(d), d.NextAt.Sub(w.now()))
	return &m
}
