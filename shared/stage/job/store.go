package job

import (
	"context"
	"time"

	"github.com/postino/postino/shared/callback/sendable"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/expunge"
	"github.com/postino/postino/shared/webhook"
)

// Jobs keeps what is known of each job.
type Jobs interface {
	// Job returns a stored job, consistently, or [webhook.ErrNotFound].
	Job(ctx context.Context, tenant, id string) (webhook.Job, error)
	// SaveJob stores j if the stored one still has j.Rev (0: if none is
	// stored), with j.Rev+1; otherwise [webhook.ErrConflict].
	SaveJob(ctx context.Context, j webhook.Job) error
	// PutDue: see delivery's Dues.
	PutDue(ctx context.Context, due webhook.Due) error
	// Lease: see delivery's Lines. It keeps two recovers of one subscription
	// apart.
	Lease(ctx context.Context, sub webhook.SubscriptionRef, work, token string, now, until time.Time) (bool, error)
}

// Deliveries finds and changes deliveries.
type Deliveries interface {
	// PageDeliveries: see manage's Search. It may lag; what it names is read
	// again before anything is decided.
	PageDeliveries(ctx context.Context, tenant string, filter webhook.DeliveryFilter, page webhook.Page) (deliveries []webhook.Delivery, next string, err error)
	// DeliveriesByID: see manage's Search.
	DeliveriesByID(ctx context.Context, tenant string, ids []string) (map[string]webhook.Delivery, error)
	// Delivery, SaveDelivery: see delivery's Deliveries.
	Delivery(ctx context.Context, tenant, id string) (webhook.Delivery, error)
	SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) error
	sendable.Store
}

// Subscriptions removes what is left of deleted ones.
type Subscriptions interface {
	sendable.Versions
	// Heads, TenantVersion: see fanout's Subscriptions.
	Heads(ctx context.Context, refs []webhook.SubscriptionRef) ([]webhook.Head, error)
	TenantVersion(ctx context.Context, tenant string) (int64, error)
	// DeleteSubscription: see manage's Subscriptions.
	DeleteSubscription(ctx context.Context, ref webhook.SubscriptionRef, expect int64) error
	// PurgeSubscription removes up to limit items that a deleted life of a
	// subscription left behind: trigger state and versions of epochs and
	// numbers not above through, and, unless another life has begun, what is
	// known of how its subscriber fared. It returns how many it removed, 0 at
	// the end.
	PurgeSubscription(ctx context.Context, sub webhook.SubscriptionRef, through int64, limit int) (removed int, err error)
	// TenantState: see fanout's Subscriptions.
	TenantState(ctx context.Context, tenant string) (webhook.TenantState, error)
	// PurgeTenant removes up to about limit items of a tenant that is being
	// deleted, its keys first. It returns how many it removed, 0 at the end;
	// what lists lag behind with may be found by a later call.
	PurgeTenant(ctx context.Context, tenant string, limit int) (removed int, err error)
	// EndDeletion writes that a tenant's deletion has ended, and forgets its
	// name. Its change counter goes on from where it was.
	EndDeletion(ctx context.Context, tenant string, now time.Time) error
	// LeaveLine: see delivery's Lines.
	LeaveLine(ctx context.Context, sub webhook.SubscriptionRef, deliveries []string) error
}

// People is where a send finds those whom it is for.
type People interface {
	// PageProfiles: see manage's People.
	PageProfiles(ctx context.Context, tenant string, page webhook.Page) (profiles []webhook.Profile, next string, err error)
	people.Source
}

// Traces are what is known of a subject.
type Traces interface {
	// Profiles, DeleteProfile: see manage's Profiles.
	Profiles(ctx context.Context, tenant string, subjects []string) (map[string]webhook.Profile, error)
	DeleteProfile(ctx context.Context, tenant, subject string) error
	// ListHeads: see fanout's Subscriptions.
	ListHeads(ctx context.Context, tenant, after string, limit int) ([]webhook.Head, error)
	// PageEvents: see manage's Search.
	PageEvents(ctx context.Context, tenant string, filter webhook.EventFilter, page webhook.Page) (events []webhook.StoredEvent, next string, err error)
	trigger.Store
	expunge.Store
	people.CampaignSource
}

// Store is all that jobs ask of storage.
type Store interface {
	Traces
	People
	Jobs
	Deliveries
	Subscriptions
}

// Sender is a queue, as far as jobs use it: resend, retries.
type Sender interface {
	// Send queues the messages durably; see ingest's Sender for its errors.
	Send(ctx context.Context, messages []queue.Message) error
}
