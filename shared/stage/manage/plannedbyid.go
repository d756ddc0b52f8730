package manage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/webhook"
)

// ofPath reads the delivery of the path, also one to which nothing
// has happened yet: its id says when its event was accepted, and the event's
// plan names it.
func (h *deliveries) ofPath(r *httpapi.Request) (webhook.Delivery, error) {
	d, missing := h.stored(r)
	var problem *httpapi.Problem
	if !errors.As(missing, &problem) {
		return d, missing
	}
	d, found, err := h.plans.find(r.Context(), r.Tenant, r.PathValue("id"))
	if err != nil {
		return d, fmt.Errorf("find planned delivery: %w", err)
	}
	if !found {
		return d, missing
	}
	return d, nil
}

// find looks for a delivery that is not stored in the plans of the
// events that were accepted in its millisecond.
func (h *plans) find(ctx context.Context, tenant, id string) (d webhook.Delivery, found bool, err error) {
	accepted, tag, err := webhook.ParseDeliveryID(id)
	if err != nil {
		return d, false, nil
	}
	page := webhook.Page{Limit: 250, After: accepted.Add(-time.Millisecond), Before: accepted.Add(time.Millisecond)}
	for {
		events, next, err := h.Store.PageEvents(ctx, tenant, webhook.EventFilter{}, page)
		if err != nil {
			return d, false, err
		}
		for _, listed := range events {
			e, err := h.Store.Event(ctx, tenant, listed.Source, listed.ID)
			if errors.Is(err, webhook.ErrNotFound) {
				continue
			}
			if err != nil {
				return d, false, err
			}
			if entry, names, err := h.entryOf(ctx, e, tag, id); err != nil || names {
				return h.pendingOf(ctx, e, entry, err)
			}
		}
		if page.Position = next; next == "" {
			return d, false, nil
		}
	}
}

// entryOf finds the entry of an event's plan whose delivery has that id.
func (h *plans) entryOf(ctx context.Context, e webhook.StoredEvent, tag, id string) (webhook.PlanEntry, bool, error) {
	for n := 0; n < e.Plan.Total; {
		entries, err := h.from(ctx, e, n)
		if err != nil || len(entries) == 0 {
			return webhook.PlanEntry{}, false, err
		}
		for _, entry := range entries {
			if !entry.CancelsOnly && webhook.DeliveryTag(e.Tenant, entry.Subscription) == tag &&
				e.DeliveryID(entry) == id {
				return entry, true, nil
			}
		}
		n += len(entries)
	}
	return webhook.PlanEntry{}, false, nil
}

// pendingOf returns the planned delivery of a plan's entry; false if its trigger
// did not fire.
func (h *plans) pendingOf(ctx context.Context, e webhook.StoredEvent, entry webhook.PlanEntry, err error) (webhook.Delivery, bool, error) {
	if err != nil {
		return webhook.Delivery{}, false, err
	}
	planned, err := h.deliveries(ctx, e, []webhook.PlanEntry{entry})
	if err != nil {
		return webhook.Delivery{}, false, err
	}
	kept, _, err := h.outcomes(ctx, e, planned, 1)
	if err != nil || len(kept) == 0 {
		return webhook.Delivery{}, false, err
	}
	return kept[0], true, nil
}
