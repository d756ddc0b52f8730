// Package ingest takes published events: it authenticates, checks, packs and
// queues them, and answers 202 only when the queue has them durably.
package ingest

import (
	"context"

	"github.com/postino/postino/shared/queue"
)

// Tenants makes a tenant known by its first use.
type Tenants interface {
	// EnsureTenant registers the tenant; a repeat changes nothing. While it is
	// being deleted, [webhook.ErrDeleting].
	EnsureTenant(ctx context.Context, tenant string) error
}

// Sender is the queue of events.
type Sender interface {
	// Send queues the messages durably. It returns nil if the queue took all
	// of them, a [*queue.Unsent] naming those it did not, or another error if
	// it took none.
	Send(ctx context.Context, messages []queue.Message) error
}
