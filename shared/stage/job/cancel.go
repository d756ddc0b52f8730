package job

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/people/campaign"
	"github.com/postino/postino/shared/webhook"
)

// The stages of a cancel.
const (
	cancelStored  = iota // deliveries that are stored
	cancelDelayed        // those that wait for a delay or for quiet hours: events know of them
	cancelNothing
)

// cancels cancels deliveries of a subscription that wait.
type cancels struct{ *Worker }

// decide notes the next deliveries that wait.
func (w cancels) decide(ctx context.Context, j *webhook.Job) (found, error) {
	switch {
	case j.Stage == cancelStored:
		return found{}, w.findStored(ctx, j)
	case j.Stage == cancelDelayed && (wants(*j, webhook.WaitTimer) || wants(*j, webhook.WaitQuiet)):
		return found{}, w.findDelayed(ctx, j)
	}
	return found{over: true}, nil
}

// wants reports whether the job is about deliveries that wait for something.
func wants(j webhook.Job, waiting webhook.Waiting) bool {
	return len(j.Waiting) == 0 || slices.Contains(j.Waiting, waiting)
}

// findStored notes stored deliveries. A dry run only counts them.
func (w cancels) findStored(ctx context.Context, j *webhook.Job) error {
	listed, heads, err := w.list(ctx, j, webhook.Pending)
	if err != nil {
		return err
	}
	targets, err := w.matching(ctx, *j, listed, func(d webhook.Delivery) bool {
		return d.Status == webhook.Pending && wants(*j, d.Waiting) && !gone(heads[d.Subscription], d)
	})
	note(j, targets)
	return err
}

func note(j *webhook.Job, targets []webhook.JobTarget) {
	j.Counts.Matched += int64(len(targets))
	if !j.DryRun {
		j.Decided = targets
	}
}

// findDelayed notes what the next events have begun and is not over.
func (w cancels) findDelayed(ctx context.Context, j *webhook.Job) error {
	page := webhook.Page{Limit: webhook.JobSlice, Position: j.Position, After: j.After, Before: j.Before}
	events, next, err := w.Store.PageEvents(ctx, j.Tenant, webhook.EventFilter{}, page)
	if err != nil {
		return fmt.Errorf("list events: %s", err) // not even a position is anybody's but ours
	}
	d := &people.Definitions{}
	if _, err := d.Join(ctx, w.Store, j.Tenant); err != nil { // what cannot be compiled has nobody wait
		return err
	}
	all := make([]*webhook.JobTarget, len(events))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(writers)
	for i, e := range events {
		g.Go(func() (err error) {
			all[i], err = w.delayed(gctx, *j, e, d.Campaigns())
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	var targets []webhook.JobTarget
	for _, target := range all {
		if target != nil {
			targets = append(targets, *target)
		}
	}
	note(j, targets)
	forward(j, next)
	return nil
}

// delayed returns what waits of an event at the job's subscription; nil for nothing.
func (w cancels) delayed(ctx context.Context, j webhook.Job, listed webhook.StoredEvent, campaigns map[string]*campaign.Campaign) (*webhook.JobTarget, error) {
	e, err := w.Store.Event(ctx, j.Tenant, listed.Source, listed.ID)
	if errors.Is(err, webhook.ErrNotFound) || err == nil && (e.Expunged || e.Data == nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read event %s: %w", listed.ID, err)
	}
	entry, err := w.entry(ctx, j, e)
	if err != nil || entry.Version == 0 {
		return nil, err
	}
	waiting, err := w.waits(ctx, e, entry, campaigns)
	if err != nil || waiting == "" || !wants(j, waiting) {
		return nil, err
	}
	id := e.DeliveryID(entry)
	if stored, err := w.Store.DeliveriesByID(ctx, j.Tenant, []string{id}); err != nil || len(stored) > 0 {
		return nil, err // it was canceled before, or its delay has ended just now
	}
	return &webhook.JobTarget{Delivery: id, Source: e.Source, Event: e.ID, Version: entry.Version}, nil
}

// entry is the job's subscription in an event's plan; its Version is 0 if it is not
// there.
func (w cancels) entry(ctx context.Context, j webhook.Job, e webhook.StoredEvent) (webhook.PlanEntry, error) {
	for page := 0; page == 0 || page < e.Plan.Pages; page++ {
		entries := e.Plan.Entries
		if e.Plan.Pages > 0 {
			var err error
			if entries, err = w.Store.PlanPage(ctx, e.Tenant, e.Key(), e.Plan.Key, page); err != nil && !errors.Is(err, webhook.ErrNotFound) {
				return webhook.PlanEntry{}, fmt.Errorf("read plan: %w", err)
			}
		}
		for _, entry := range entries {
			if entry.Subscription == j.Subscription && !entry.CancelsOnly {
				return entry, nil
			}
		}
	}
	return webhook.PlanEntry{}, nil
}

// waits tells what an event waits for at a subscription: "" if for nothing.
func (w cancels) waits(ctx context.Context, e webhook.StoredEvent, entry webhook.PlanEntry, campaigns map[string]*campaign.Campaign) (webhook.Waiting, error) {
	subs, err := w.Store.Versions(ctx, []webhook.VersionRef{{Tenant: e.Tenant, ID: entry.Subscription, Version: entry.Version}})
	if errors.Is(err, webhook.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read subscription %s: %w", entry.Subscription, err)
	}
	spec, err := trigger.Compile(subs[0])
	if err != nil {
		return "", err
	}
	if c := campaigns[subs[0].Campaign]; c != nil && c.Common() != nil {
		spec = spec.With(c.Common())
	}
	if spec == nil {
		return "", nil
	}
	decoded, err := trigger.DecodeEvent(e.Event)
	if err != nil {
		return "", err
	}
	d, known, err := spec.Outcome(ctx, w.Store, subs[0], e.Event, decoded)
	switch {
	case err != nil || !known || d.Do != trigger.Wait:
		return "", err
	case d.Quiet:
		return webhook.WaitQuiet, nil
	}
	return webhook.WaitTimer, nil
}

// carryOut cancels what was decided and takes it out of the waiting line.
func (w cancels) carryOut(ctx context.Context, j *webhook.Job) (time.Duration, error) {
	if err := w.cancelAll(ctx, j, w.cancel); err != nil {
		return 0, err
	}
	j.Decided = nil
	return 0, nil
}

// cancel ends a delivery, and reports whether that is how it ended.
func (w cancels) cancel(ctx context.Context, j webhook.Job, target webhook.JobTarget) (bool, error) {
	d, err := w.Store.Delivery(ctx, j.Tenant, target.Delivery)
	if errors.Is(err, webhook.ErrNotFound) && target.Event != "" {
		d, err = w.planned(ctx, j, target)
	}
	if errors.Is(err, webhook.ErrNotFound) {
		return false, nil // retention removed it
	}
	if err != nil {
		return false, fmt.Errorf("read delivery %s: %w", target.Delivery, err)
	}
	d, _, err = w.life().Change(ctx, d, func(d webhook.Delivery) (lifecycle.Transition, bool, error) {
		return lifecycle.Cancel(d, webhook.ReasonManual, "", w.now()), d.Status == webhook.Pending, nil
	})
	return d.Status == webhook.Canceled && d.Reason == webhook.ReasonManual, err
}

// planned is the delivery of an event to which nothing has happened yet.
func (w cancels) planned(ctx context.Context, j webhook.Job, target webhook.JobTarget) (webhook.Delivery, error) {
	e, err := w.Store.Event(ctx, j.Tenant, target.Source, target.Event)
	if err != nil {
		return webhook.Delivery{}, err
	}
	return lifecycle.Planned(e.Event, webhook.PlanEntry{Subscription: j.Subscription, Version: target.Version}), nil
}
