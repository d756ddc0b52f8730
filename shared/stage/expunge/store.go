// Package expunge removes an event's payload, the bodies of its deliveries, and
// the answers to their attempts. Ids, times and outcomes stay.
package expunge

import (
	"context"

	"github.com/postino/postino/shared/webhook"
)

// Store is where an event's payload has left traces.
type Store interface {
	// Event returns a stored event, consistently, or [webhook.ErrNotFound].
	Event(ctx context.Context, tenant, source, id string) (webhook.StoredEvent, error)
	// ExpungeEvent removes what was published with an event but its ids, type
	// and times, and marks it as expunged. Its plan stays. A repeat changes
	// nothing; an event that is not stored is [webhook.ErrNotFound].
	ExpungeEvent(ctx context.Context, tenant, source, id string) error
	// PlanPage: see fanout's Events.
	PlanPage(ctx context.Context, tenant, eventKey, planKey string, page int) ([]webhook.PlanEntry, error)
	// Versions: see fanout's Subscriptions.
	Versions(ctx context.Context, refs []webhook.VersionRef) ([]webhook.Subscription, error)
	// Delivery, SaveDelivery: see delivery's Deliveries.
	Delivery(ctx context.Context, tenant, id string) (webhook.Delivery, error)
	SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) error
	// DeliveriesByID returns those that are stored, by id; others are absent.
	DeliveriesByID(ctx context.Context, tenant string, ids []string) (map[string]webhook.Delivery, error)
	// Occasions lists the deliveries of an event that have an occasion, which
	// no plan names, by id, consistently. Pages may be short; only an empty
	// next means the end.
	Occasions(ctx context.Context, tenant, source, id, position string, limit int) (deliveries []webhook.Delivery, next string, err error)
	// ExpungeParts removes a delivery's body and what was answered to its
	// attempts, which stay. The delivery itself is not changed.
	ExpungeParts(ctx context.Context, tenant, delivery string) error
	// LeaveLine: see delivery's Lines.
	LeaveLine(ctx context.Context, sub webhook.SubscriptionRef, deliveries []string) error
}
