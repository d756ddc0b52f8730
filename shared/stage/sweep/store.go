// Package sweep queues what is due: once a minute it turns the due pointers of
// the coming minute into queue messages with the exact remaining delay.
package sweep

import (
	"context"
	"time"

	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// Store keeps the due pointers, by minute and shard.
type Store interface {
	// DueAt lists up to limit pointers of the minute that begins at minute
	// (UTC) in the shard (0 to [webhook.DueShards]-1), in order of time,
	// consistently; next is "" at the end.
	DueAt(ctx context.Context, minute time.Time, shard int, position string, limit int) (dues []webhook.Due, next string, err error)
	// DeleteDue removes pointers; a repeat changes nothing.
	DeleteDue(ctx context.Context, dues []webhook.Due) error
	// LowWater returns the minute before which no pointer is left, zero
	// before the first sweep.
	LowWater(ctx context.Context) (time.Time, error)
	// RaiseLowWater moves the mark forward; to an earlier time it does nothing.
	RaiseLowWater(ctx context.Context, to time.Time) error
}

// Sender is a queue, as far as sweep uses it.
type Sender interface {
	// Send queues the messages durably; see ingest's Sender for its errors.
	Send(ctx context.Context, messages []queue.Message) error
}
