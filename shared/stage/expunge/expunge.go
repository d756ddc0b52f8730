package expunge

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/webhook"
)

// Again is how long after an event was marked its deliveries are looked through
// once more: longer than an attempt that was under way may take to be recorded.
const Again = time.Minute

const (
	atOnce    = 16  // deliveries that are written concurrently
	occasions = 250 // deliveries without a plan that one slice looks at
)

// Expunger looks through deliveries.
type Expunger struct {
	Store   Store
	Counter lifecycle.Counter // of what it cancels
}

// Slice removes what is left of an expunged event in the next deliveries that
// it led to: those of a page of its plan, or some of its further occasions. A
// delivery that waits ends, canceled as [webhook.ReasonExpired]. Position is ""
// at first, then the next of the slice before; next is "" at the end. A repeat
// changes nothing.
func (x Expunger) Slice(ctx context.Context, e webhook.StoredEvent, position string, now time.Time) (next string, err error) {
	var deliveries []webhook.Delivery
	if after, ok := strings.CutPrefix(position, "o"); ok {
		deliveries, next, err = x.Store.Occasions(ctx, e.Tenant, e.Source, e.ID, after, occasions)
		if next != "" {
			next = "o" + next
		}
	} else {
		deliveries, next, err = planned(ctx, x.Store, e, position)
	}
	if err != nil {
		return "", fmt.Errorf("read deliveries of %s: %w", e.ID, err)
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, d := range deliveries {
		g.Go(func() error { return x.one(gctx, d, now) })
	}
	if err := g.Wait(); err != nil {
		return "", fmt.Errorf("expunge deliveries of %s: %w", e.ID, err)
	}
	return next, nil
}

// planned returns the deliveries of the plan's next page. Those that are not
// stored have Rev 0.
func planned(ctx context.Context, store Store, e webhook.StoredEvent, position string) (deliveries []webhook.Delivery, next string, err error) {
	page, _ := strconv.Atoi(position) // ours: "" and 0 are the first
	entries := e.Plan.Entries
	if e.Plan.Pages > 0 {
		entries, err = store.PlanPage(ctx, e.Tenant, e.Key(), e.Plan.Key, page)
		if errors.Is(err, webhook.ErrNotFound) { // retention removed it
			err = nil
		}
	}
	if next = "o"; page+1 < e.Plan.Pages {
		next = strconv.Itoa(page + 1)
	}
	var ids []string
	for _, entry := range entries {
		if entry.CancelsOnly {
			continue
		}
		d := lifecycle.Planned(e.Event, entry)
		ids, deliveries = append(ids, d.ID), append(deliveries, d)
	}
	if err != nil || len(ids) == 0 {
		return nil, next, err
	}
	stored, err := store.DeliveriesByID(ctx, e.Tenant, ids)
	for i, id := range ids {
		if d, ok := stored[id]; ok {
			deliveries[i] = d
		}
	}
	return deliveries, next, err
}

// one stores a delivery without its answer, ended if it was pending. One that
// is not stored is stored as ended, so that its first attempt, if it is still
// in a queue, is not made; unless its subscription's trigger may not have fired.
func (x Expunger) one(ctx context.Context, d webhook.Delivery, now time.Time) error {
	life := lifecycle.Executor{Store: x.Store, Counter: x.Counter, Leave: x.leave}
	alone := false // nothing is stored beside it
	saved, effects, err := life.Change(ctx, d, func(d webhook.Delivery) (t lifecycle.Transition, changes bool, err error) {
		if alone = d.Rev == 0 || d.Rev == 1 && d.Status == webhook.Succeeded; d.Rev == 0 {
			if fires, err := triggered(ctx, x.Store, d); fires || err != nil {
				return t, false, err
			}
		}
		t, changes = lifecycle.Expunge(d, now)
		return t, changes, nil
	})
	if err != nil {
		return err
	}
	if err := life.CarryOut(ctx, saved, effects); err != nil || alone {
		return err
	}
	return x.Store.ExpungeParts(ctx, d.Tenant, d.ID)
}

func (x Expunger) leave(ctx context.Context, d webhook.Delivery) error {
	return x.Store.LeaveLine(ctx, webhook.SubscriptionRef{Tenant: d.Tenant, ID: d.Subscription}, []string{d.ID})
}

// triggered reports whether a trigger decides about the delivery.
func triggered(ctx context.Context, store Store, d webhook.Delivery) (bool, error) {
	subs, err := store.Versions(ctx, []webhook.VersionRef{{Tenant: d.Tenant, ID: d.Subscription, Version: d.Version}})
	if errors.Is(err, webhook.ErrNotFound) {
		return true, nil // retention removed it: nothing waits for it
	}
	return err == nil && (len(subs[0].Trigger) > 0 || subs[0].MaxAge != ""), err
}
