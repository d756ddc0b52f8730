// Package ingest accepts published events: it authenticates, checks, packs and
// queues them, and answers 202 only when they are durable in the queue.
package ingest

import (
	"context"

	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// Tenants makes a tenant known by its first use, or finds one that was made.
type Tenants interface {
	// EnsureTenant registers the tenant, and reports whether it was not known; a
	// repeat changes nothing. While it is being deleted, [webhook.ErrDeleting].
	EnsureTenant(ctx context.Context, tenant string) (created bool, err error)
	// FindTenant returns nil if the tenant is known, [webhook.ErrNotFound] if it
	// is not, and [webhook.ErrDeleting] while it is being deleted.
	FindTenant(ctx context.Context, tenant string) error
	// PageTenants lists tenants by name.
	PageTenants(ctx context.Context, page webhook.Page) (tenants []string, next string, err error)
}

// Records is where is remembered what publishers may repeat.
type Records interface {
	// TriggerState, SaveTriggerState: see trigger's Store. The records are of
	// the tenant, without a subscription.
	TriggerState(ctx context.Context, refs []webhook.StateRef) ([]webhook.StateItem, error)
	SaveTriggerState(ctx context.Context, items []webhook.StateItem) error
	// TenantState: see fanout's Subscriptions.
	TenantState(ctx context.Context, tenant string) (webhook.TenantState, error)
}

// Sender is the queue of events.
type Sender interface {
	// Send queues the messages durably. It returns nil if the queue took all
	// of them, a [*queue.Unsent] naming those it did not, or another error if
	// it took none.
	Send(ctx context.Context, messages []queue.Message) error
}
