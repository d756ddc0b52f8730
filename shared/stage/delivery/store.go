// Package delivery posts callbacks: it makes each attempt, records the result,
// and schedules the next attempt.
package delivery

import (
	"context"
	"time"

	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/expunge"
	"github.com/postino/postino/shared/webhook"
)

// Subscriptions tells how a subscription stands at the time of an attempt.
type Subscriptions interface {
	// Heads, Versions: see fanout's Subscriptions.
	Heads(ctx context.Context, refs []webhook.SubscriptionRef) ([]webhook.Head, error)
	Versions(ctx context.Context, refs []webhook.VersionRef) ([]webhook.Subscription, error)
	// TenantState: see fanout's Subscriptions.
	TenantState(ctx context.Context, tenant string) (webhook.TenantState, error)
	// SaveSubscription: see manage's Subscriptions. Delivery only disables.
	SaveSubscription(ctx context.Context, s webhook.Subscription, expect int64) (webhook.Subscription, error)
}

// Deliveries keeps what is known of each delivery.
type Deliveries interface {
	// Delivery returns a stored delivery, consistently, or [webhook.ErrNotFound].
	Delivery(ctx context.Context, tenant, id string) (webhook.Delivery, error)
	// SaveDelivery stores d if the stored one still has d.Rev (0: if none is
	// stored), with d.Rev+1; otherwise [webhook.ErrConflict]. The parts are
	// stored in the same transaction: all of it or nothing.
	SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) error
	// SaveDeliveries saves each as SaveDelivery does, and returns an error for
	// each; nil if all are saved. Some may be saved though others are not.
	SaveDeliveries(ctx context.Context, saves []webhook.Save) []error
	// DeliveriesByID returns those that are stored, by id, consistently; others
	// are absent.
	DeliveriesByID(ctx context.Context, tenant string, ids []string) (map[string]webhook.Delivery, error)
	// Content returns a delivery's stored body, or [webhook.ErrNotFound]: the
	// body of a delivery that succeeded at once is not kept.
	Content(ctx context.Context, tenant, id string) (webhook.Content, error)
	// Event returns a stored event, or [webhook.ErrNotFound].
	Event(ctx context.Context, tenant, source, id string) (webhook.StoredEvent, error)
}

// Lines keeps, for each subscription, the deliveries that wait for it to open.
type Lines interface {
	// EnterLine adds a delivery; a repeat changes nothing.
	EnterLine(ctx context.Context, sub webhook.SubscriptionRef, delivery string) error
	// LeaveLine removes deliveries; a repeat changes nothing.
	LeaveLine(ctx context.Context, sub webhook.SubscriptionRef, deliveries []string) error
	// Line returns up to limit waiting delivery ids greater than after,
	// ascending, consistently: the oldest events first.
	Line(ctx context.Context, sub webhook.SubscriptionRef, after string, limit int) ([]string, error)
	// Lease makes token the only holder of the named work until the given
	// time, or reports false if another token holds it after now. The holder
	// may extend, and give up by a time not after now.
	Lease(ctx context.Context, sub webhook.SubscriptionRef, work, token string, now, until time.Time) (bool, error)
}

// Offers keeps, for each subscription, what may be pulled.
type Offers interface {
	// PutOffer adds an offer; a repeat changes nothing.
	PutOffer(ctx context.Context, o webhook.Offer) error
	// Offers returns up to limit offers of a subscription, in the order of their
	// deliveries. It may lag.
	Offers(ctx context.Context, sub webhook.SubscriptionRef, limit int) ([]webhook.Offer, error)
	// Offer returns an offer as it is, consistently, or [webhook.ErrNotFound].
	Offer(ctx context.Context, o webhook.Offer) (webhook.Offer, error)
	// LeaseOffer gives an offer that nobody has pulled yet to the holder of
	// o.Lease, or reports false. Of concurrent calls one succeeds.
	LeaseOffer(ctx context.Context, o webhook.Offer) (bool, error)
	// ReleaseOffer takes back what LeaseOffer gave, if that is still so.
	ReleaseOffer(ctx context.Context, o webhook.Offer) error
	// DeleteOffers removes offers; a repeat changes nothing.
	DeleteOffers(ctx context.Context, offers []webhook.Offer) error
}

// Conditions keeps what workers must know of a subscriber in common.
type Conditions interface {
	// SaveHealth stores h in the subscription's head if that is of the version
	// and its health has h.Rev (0: if none was stored since the version was),
	// with h.Rev+1; otherwise [webhook.ErrConflict].
	SaveHealth(ctx context.Context, ref webhook.VersionRef, h webhook.Health) error
	// AddTally adds t to what is counted in the window that begins at a whole
	// second, and returns the sum. A window is kept for an hour at least; an
	// addition whose answer is lost may count twice.
	AddTally(ctx context.Context, sub webhook.SubscriptionRef, window time.Time, t webhook.Tally) (webhook.Tally, error)
	// Reserve takes the next stretch of a subscription's time: it begins at
	// now, or where what was reserved before ends. If that is after latest,
	// nothing is taken, and it reports false with where it would begin. Of
	// concurrent calls no two get the same time.
	Reserve(ctx context.Context, sub webhook.SubscriptionRef, now, latest time.Time, length time.Duration) (begin time.Time, taken bool, err error)
}

// Dues keeps pointers to what must happen beyond a queue's delay.
type Dues interface {
	// PutDue stores a pointer; the same pointer again changes nothing.
	PutDue(ctx context.Context, due webhook.Due) error
}

// Triggers tells what became of a trigger's key while a delivery was held.
type Triggers interface {
	// TriggerState: see trigger's Reader.
	TriggerState(ctx context.Context, refs []webhook.StateRef) ([]webhook.StateItem, error)
}

// NamedSecrets holds what requests mention as {{ secrets.name }}.
type NamedSecrets interface {
	// Secrets returns the named secrets that exist, sealed, by name,
	// consistently.
	Secrets(ctx context.Context, tenant string, names []string) (map[string]webhook.NamedSecret, error)
}

// Store is all that delivery asks of storage.
type Store interface {
	Subscriptions
	NamedSecrets
	Deliveries
	Lines
	Offers
	Conditions
	Dues
	Triggers
	expunge.Store
}

// Sender is a queue, as far as delivery uses it: retries, resend, exhausted.
type Sender interface {
	// Send queues the messages durably; see ingest's Sender for its errors.
	Send(ctx context.Context, messages []queue.Message) error
}
