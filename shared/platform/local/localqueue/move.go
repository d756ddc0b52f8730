package localqueue

import (
	"context"
	"fmt"

	"github.com/postino/postino/shared/platform/local/engine"
)

const moveRows = 256 // messages moved in one write

// Move moves up to limit messages that wait in the queue, not those that are
// delayed or handed out, to another of the set, as a message move task of SQS
// does. Their receipts begin at zero. It returns how many it moved, also with
// an error.
func (q *Queue) Move(ctx context.Context, to *Queue, limit int) (moved int, err error) {
	if q == to {
		return 0, fmt.Errorf("move messages from %s to itself", q.name)
	}
	for moved < limit {
		entries, err := q.takeWaiting(ctx, min(limit-moved, moveRows))
		if err != nil || len(entries) == 0 {
			return moved, err
		}
		if err := q.move(ctx, entries, to); err != nil {
			return moved, fmt.Errorf("move messages from %s to %s: %w", q.name, to.name, err)
		}
		moved += len(entries)
	}
	return moved, nil
}

// takeWaiting takes entries as Receive does, none only if none waits.
func (q *Queue) takeWaiting(ctx context.Context, limit int) ([]*entry, error) {
	for {
		entries, arrival := q.receive(limit, false)
		if len(entries) > 0 || arrival == nil {
			return entries, nil
		}
		select {
		case <-arrival:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (q *Queue) move(ctx context.Context, entries []*entry, to *Queue) error {
	s := q.set
	err := s.db.Write(ctx, engine.Durable, func(tx *engine.Tx) error {
		for _, e := range entries {
			if err := q.replace(tx, e, to, placedSpilled, 0); err != nil {
				return err
			}
		}
		return nil
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		if err != nil {
			e.received--
			s.decide(outcome{queue: q, entry: e, kind: retried, due: s.now().UnixMilli()})
			continue
		}
		s.settle(e.cause)
		q.release(e)
		q.total--
		to.adopt(e)
	}
	to.wake()
	return err
}
