package manage

import (
	"context"
	"fmt"
	"slices"

	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/webhook"
)

// Search reads events and deliveries. Lists are ordered by the event's
// acceptance, what replays made by when they were asked for. They may lag by a
// second, and may be short: only an empty next position means the end. A
// malformed Page.Position is [webhook.ErrNotFound].
type Search interface {
	Event(ctx context.Context, tenant, source, id string) (webhook.StoredEvent, error)
	PlanPage(ctx context.Context, tenant, eventKey, planKey string, page int) ([]webhook.PlanEntry, error)
	// PageEvents lists events, without their data.
	PageEvents(ctx context.Context, tenant string, filter webhook.EventFilter, page webhook.Page) (events []webhook.StoredEvent, next string, err error)
	Delivery(ctx context.Context, tenant, id string) (webhook.Delivery, error)
	// DeliveriesByID returns those that are stored, by id; others are absent.
	DeliveriesByID(ctx context.Context, tenant string, ids []string) (map[string]webhook.Delivery, error)
	// PageDeliveries lists stored deliveries; one that was never attempted
	// nor parked may be absent.
	PageDeliveries(ctx context.Context, tenant string, filter webhook.DeliveryFilter, page webhook.Page) (deliveries []webhook.Delivery, next string, err error)
	// Attempts lists a delivery's stored attempts by number. An attempt that
	// succeeded at once stands in the delivery alone.
	Attempts(ctx context.Context, tenant, id string) ([]webhook.Attempt, error)
	// Content: see delivery's Deliveries.
	Content(ctx context.Context, tenant, id string) (webhook.Content, error)
}

// plans is what is to become of events: deliveries by the plan, stored or not.
type plans struct {
	*Handler
	retained *retained
}

// from returns entries of the plan from the n-th on, up to the end of the
// page they stand in; none at the end of the plan.
func (h *plans) from(ctx context.Context, e webhook.StoredEvent, n int) ([]webhook.PlanEntry, error) {
	if e.Plan.Pages == 0 {
		return e.Plan.Entries[min(n, len(e.Plan.Entries)):], nil
	}
	if n/webhook.PlanPage >= e.Plan.Pages {
		return nil, nil
	}
	entries, err := h.Store.PlanPage(ctx, e.Tenant, e.Key(), e.Plan.Key, n/webhook.PlanPage)
	if err != nil { // ours, not the caller's: the event names the page
		return nil, fmt.Errorf("read plan of %s: %s", e.ID, err)
	}
	return entries[min(n%webhook.PlanPage, len(entries)):], nil
}

// deliveries returns the deliveries of plan entries: as they are stored, or
// pending if they are not yet. Entries that only cancel a timer make none, and
// those of an old event none that is not stored.
func (h *plans) deliveries(ctx context.Context, e webhook.StoredEvent, entries []webhook.PlanEntry) ([]webhook.Delivery, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	entries = slices.DeleteFunc(slices.Clone(entries), func(entry webhook.PlanEntry) bool { return entry.CancelsOnly })
	ids := make([]string, len(entries))
	for i, entry := range entries {
		ids[i] = e.DeliveryID(entry)
	}
	stored, err := h.Store.DeliveriesByID(ctx, e.Tenant, ids)
	if err != nil {
		return nil, fmt.Errorf("read deliveries of %s: %w", e.ID, err)
	}
	expired := h.retained.expired(e.AcceptedAt)
	deliveries := make([]webhook.Delivery, 0, len(entries))
	for i, entry := range entries {
		d, ok := stored[ids[i]]
		if !ok && expired {
			continue // it ended and went before its event
		}
		if !ok {
			d = lifecycle.Planned(e.Event, entry)
		}
		deliveries = append(deliveries, d)
	}
	return deliveries, nil
}
