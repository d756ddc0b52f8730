package fanout

import (
	"context"
	"fmt"
	"sync"

	"github.com/postino/postino/shared/queue"
)

// outbox collects messages and sends them in large batches.
// It is safe for concurrent use.
type outbox struct {
	to     Sender
	bundle int // first attempts of one message, at most
	mu     sync.Mutex
	queue  []queue.Message
	bytes  int
}

// Bounds of what an outbox holds before it sends.
const (
	outboxMessages = 500
	outboxBytes    = 4 << 20
)

func (o *outbox) add(ctx context.Context, m queue.Message) error {
	o.mu.Lock()
	o.queue = append(o.queue, m)
	o.bytes += len(m.Body)
	full := len(o.queue) >= outboxMessages || o.bytes >= outboxBytes
	o.mu.Unlock()
	if full {
		return o.flush(ctx)
	}
	return nil
}

func (o *outbox) flush(ctx context.Context) error {
	o.mu.Lock()
	batch := o.queue
	o.queue, o.bytes = nil, 0
	o.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	if err := o.to.Send(ctx, messagesOf(bundled(bundles(0, batch), o.bundle))); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	return nil
}

// outgoing is what the handling of one message sends, before it is done.
type outgoing struct {
	deliveries outbox
	events     outbox
}

func (f *Fanout) outgoing() *outgoing {
	return &outgoing{deliveries: outbox{to: f.Deliveries, bundle: f.Bundle}, events: outbox{to: f.Events}}
}

func (o *outgoing) flush(ctx context.Context) error {
	if err := o.events.flush(ctx); err != nil {
		return err
	}
	return o.deliveries.flush(ctx)
}
