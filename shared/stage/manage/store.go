// Package manage is the API except publishing: subscriptions, events,
// deliveries, jobs, and the server's health.
package manage

import (
	"context"
	"time"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/expunge"
	"github.com/postino/postino/shared/webhook"
)

// Subscriptions keeps subscriptions as immutable versions under a head.
type Subscriptions interface {
	// EnsureTenant: see ingest's Tenants.
	EnsureTenant(ctx context.Context, tenant string) (created bool, err error)
	// SaveSubscription stores s as a new version in one transaction with its
	// head, the change log and the tenant's version, if the current version
	// is still expect. It returns s with Version set, and with Born set when
	// it creates. Expect 0 creates: [webhook.ErrExists] if there is one.
	// Otherwise [webhook.ErrNotFound] or [webhook.ErrConflict].
	SaveSubscription(ctx context.Context, s webhook.Subscription, expect int64) (webhook.Subscription, error)
	// DeleteSubscription removes the head in one transaction with the change
	// log and the tenant's version, if the current version is still expect;
	// errors as SaveSubscription. Versions stay until retention removes them.
	DeleteSubscription(ctx context.Context, ref webhook.SubscriptionRef, expect int64) error
	// SaveHealth: see delivery's Conditions. Manage only closes a breaker.
	SaveHealth(ctx context.Context, ref webhook.VersionRef, h webhook.Health) error
	// Line: see delivery's Conditions.
	Line(ctx context.Context, sub webhook.SubscriptionRef, after string, limit int) ([]string, error)
	// Heads, Versions: see fanout's Subscriptions.
	Heads(ctx context.Context, refs []webhook.SubscriptionRef) ([]webhook.Head, error)
	Versions(ctx context.Context, refs []webhook.VersionRef) ([]webhook.Subscription, error)
	// PageHeads returns one page of heads by id, consistently, and the
	// position of the next; "" means the end.
	PageHeads(ctx context.Context, tenant string, page webhook.Page) (heads []webhook.Head, next string, err error)
}

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
	// CountDue counts the due pointers up to a time that wait to be swept, at
	// most limit.
	CountDue(ctx context.Context, through time.Time, limit int) (int, error)
	// LowWater returns the minute before which no due pointer is left, zero
	// before the first sweep.
	LowWater(ctx context.Context) (time.Time, error)
}

// Secrets keeps named secrets, sealed.
type Secrets interface {
	// PutSecret stores a secret under its name, and returns it with whether
	// there was none. If keep, one that was there keeps its Portal.
	PutSecret(ctx context.Context, secret webhook.NamedSecret, keep bool) (stored webhook.NamedSecret, created bool, err error)
	// Secrets: see delivery's NamedSecrets.
	Secrets(ctx context.Context, tenant string, names []string) (map[string]webhook.NamedSecret, error)
	// PageSecrets lists secrets by name, without their values.
	PageSecrets(ctx context.Context, tenant string, page webhook.Page) (secrets []webhook.NamedSecret, next string, err error)
	// DeleteSecret removes a secret, or returns [webhook.ErrNotFound].
	DeleteSecret(ctx context.Context, tenant, name string) error
}

// Keys keeps what is known of tenants' keys.
type Keys interface {
	// PutKey stores a key under its id.
	PutKey(ctx context.Context, key webhook.Key) error
	// PageKeys lists keys by id, without their hashes.
	PageKeys(ctx context.Context, tenant string, page webhook.Page) (keys []webhook.Key, next string, err error)
	// DeleteKey removes a key, or returns [webhook.ErrNotFound].
	DeleteKey(ctx context.Context, tenant, id string) error
}

// EventTypes keeps what tenants have registered about types of events.
type EventTypes interface {
	// PutEventType registers a type, and reports whether it was not.
	PutEventType(ctx context.Context, typ webhook.EventType) (created bool, err error)
	// EventTypes: see ingest's Types.
	EventTypes(ctx context.Context, tenant string, types []string) (map[string]webhook.EventType, error)
	// PageEventTypes lists types by name, without schema and sample.
	PageEventTypes(ctx context.Context, tenant string, page webhook.Page) (types []webhook.EventType, next string, err error)
	// DeleteEventType removes a type, or returns [webhook.ErrNotFound].
	DeleteEventType(ctx context.Context, tenant, typ string) error
}

// People is where profiles, and what is derived of them, are kept.
type People interface {
	// Profiles returns the profiles that exist, consistently, by subject.
	Profiles(ctx context.Context, tenant string, subjects []string) (map[string]webhook.Profile, error)
	// SaveProfile stores a profile in place of the revision before, or returns
	// [webhook.ErrConflict].
	SaveProfile(ctx context.Context, p webhook.Profile) error
	// DeleteProfile removes a profile, or returns [webhook.ErrNotFound].
	DeleteProfile(ctx context.Context, tenant, subject string) error
	// PageProfiles lists profiles in an order of the store's own.
	PageProfiles(ctx context.Context, tenant string, page webhook.Page) (profiles []webhook.Profile, next string, err error)
	Definitions
}

// Definitions are a tenant's computed attributes and segments.
type Definitions interface {
	people.Source // lists rules by name, segments by id
	// PutAttributeRule stores a rule in place of the one of its name.
	PutAttributeRule(ctx context.Context, r webhook.AttributeRule) error
	// DeleteAttributeRule removes a rule, or returns [webhook.ErrNotFound].
	DeleteAttributeRule(ctx context.Context, tenant, name string) error
	// PutSegment stores a segment, and reports whether there was none of its id.
	PutSegment(ctx context.Context, s webhook.Segment) (created bool, err error)
	// DeleteSegment removes a segment, or returns [webhook.ErrNotFound].
	DeleteSegment(ctx context.Context, tenant, id string) error
	// PeopleChanged counts a change of them, in [webhook.TenantState].
	PeopleChanged(ctx context.Context, tenant string) error
}

// Stats is what was counted of deliveries; see package stats.
type Stats interface {
	// Stats lists the hours in which something was counted of a subscription,
	// or of the whole tenant if its id is "", from one time, included, to
	// another, ascending. It may lag by a second.
	Stats(ctx context.Context, sub webhook.SubscriptionRef, from, before time.Time) ([]webhook.Stats, error)
}

// Store is all that the API asks of storage.
type Store interface {
	Stats
	Subscriptions
	Search
	Secrets
	Keys
	EventTypes
	People
	Jobs
	Tenants
	trigger.Store
	expunge.Store
}

// Resender is a queue of what is asked for by hand.
type Resender interface {
	// Send queues the messages durably; see ingest's Sender for its errors.
	Send(ctx context.Context, messages []queue.Message) error
}

// Backlog tells how much waits in a queue, delayed and in flight included;
// approximately.
type Backlog interface {
	Backlog(ctx context.Context) (int, error)
}
