// Package outbox collects messages to a queue, and sends them in large batches.
// Several first attempts of one subscription can share a message.
package outbox

import (
	"context"
	"fmt"
	"sync"

	"github.com/postino/postino/shared/queue"
)

// Sender is a queue.
type Sender interface {
	// Send queues the messages durably; see ingest's Sender for its errors.
	Send(ctx context.Context, messages []queue.Message) error
}

// Outbox collects the messages to a queue. It is safe for concurrent use.
type Outbox struct {
	To     Sender
	Bundle int // above 1: so many first attempts share a message, at most
	mu     sync.Mutex
	queue  []queue.Message
	bytes  int
}

// Bounds of what an outbox holds before it sends.
const (
	outboxMessages = 500
	outboxBytes    = 4 << 20
)

// Add adds a message, and sends all there are if they are many.
func (o *Outbox) Add(ctx context.Context, m queue.Message) error {
	o.mu.Lock()
	o.queue = append(o.queue, m)
	o.bytes += len(m.Body)
	full := len(o.queue) >= outboxMessages || o.bytes >= outboxBytes
	o.mu.Unlock()
	if full {
		return o.Flush(ctx)
	}
	return nil
}

// Flush sends all there are.
func (o *Outbox) Flush(ctx context.Context) error {
	o.mu.Lock()
	batch := o.queue
	o.queue, o.bytes = nil, 0
	o.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	if err := o.To.Send(ctx, messagesOf(bundled(bundles(0, batch), o.Bundle))); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	return nil
}
