// Package fanout decides which subscriptions get an event: it matches them,
// stores the event with this decision, and queues one delivery for each.
package fanout

import (
	"context"
	"time"

	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// Subscriptions is where matching learns who subscribed.
type Subscriptions interface {
	// TenantState returns the tenant's change counter, 0 before the first
	// change, and its last deletion, by one read. It is consistent: it sees
	// every change that was acknowledged.
	TenantState(ctx context.Context, tenant string) (webhook.TenantState, error)
	// Changes lists the changes with after < Version <= through, ascending,
	// or returns [webhook.ErrGap] if the log no longer holds all of them.
	Changes(ctx context.Context, tenant string, after, through int64) ([]webhook.Change, error)
	// Heads returns the current heads, consistently, in the order asked for.
	// Those that do not exist have Version 0.
	Heads(ctx context.Context, refs []webhook.SubscriptionRef) ([]webhook.Head, error)
	// ListHeads returns up to limit heads with an id greater than after, by
	// id, consistently. Only an empty list means the end.
	ListHeads(ctx context.Context, tenant, after string, limit int) ([]webhook.Head, error)
	// Versions returns immutable versions in the order asked for, or
	// [webhook.ErrNotFound] if one does not exist.
	Versions(ctx context.Context, refs []webhook.VersionRef) ([]webhook.Subscription, error)
}

// Events is where an event is stored together with its plan.
type Events interface {
	// CreateEvent stores e if its (tenant, source, id) is new. Otherwise it
	// returns what is stored, unchanged. Of several concurrent calls with one
	// identity exactly one creates, and all return the same stored event.
	// With profiles it stores those too, all or nothing: [webhook.ErrConflict] if
	// one of them is not the revision after the stored one.
	CreateEvent(ctx context.Context, e webhook.StoredEvent, profiles ...webhook.Profile) (stored webhook.StoredEvent, created bool, err error)
	// PutPlanPage stores one page of a large plan (page 0 is the first). Pages
	// are keyed by their plan, so that the loser of a race does not overwrite
	// the winner's; a repeat overwrites the same entries.
	PutPlanPage(ctx context.Context, tenant, eventKey, planKey string, page int, entries []webhook.PlanEntry) error
	// PlanPage returns a stored page, or [webhook.ErrNotFound].
	PlanPage(ctx context.Context, tenant, eventKey, planKey string, page int) ([]webhook.PlanEntry, error)
	// CreateReplay stores what a replay decided if its (tenant, event, id) is
	// new. Otherwise it returns what is stored, unchanged; concurrent calls as
	// with CreateEvent.
	CreateReplay(ctx context.Context, r webhook.Replay) (stored webhook.Replay, created bool, err error)
	// Event returns a stored event, consistently, or [webhook.ErrNotFound].
	Event(ctx context.Context, tenant, source, id string) (webhook.StoredEvent, error)
}

// People is where fan-out learns what is known of subjects.
type People interface {
	people.Source
	people.CampaignSource
	// Profiles returns the profiles that exist, consistently, by subject.
	Profiles(ctx context.Context, tenant string, subjects []string) (map[string]webhook.Profile, error)
}

// Triggers is where fan-out keeps what triggers have counted and claimed, and
// what wakes their timers.
type Triggers interface {
	// TriggerState, SaveTriggerState: see trigger's Store.
	TriggerState(ctx context.Context, refs []webhook.StateRef) ([]webhook.StateItem, error)
	SaveTriggerState(ctx context.Context, items []webhook.StateItem) error
	// PutDue: see delivery's Dues.
	PutDue(ctx context.Context, due webhook.Due) error
	// KeepEvent sees to it that an event, if it is stored, does not expire
	// before the given time.
	KeepEvent(ctx context.Context, tenant, eventKey string, until time.Time) error
}

// Store is all that fan-out asks of storage.
type Store interface {
	Subscriptions
	Events
	// Delivery, SaveDelivery: see delivery's Deliveries. Fan-out only stores
	// those that are canceled before they begin.
	Delivery(ctx context.Context, tenant, id string) (webhook.Delivery, error)
	SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) error
	Triggers
	People
}

// Sender is a queue, as far as fan-out uses it: deliveries, and events again.
type Sender interface {
	// Send queues the messages durably; see ingest's Sender for its errors.
	Send(ctx context.Context, messages []queue.Message) error
}
