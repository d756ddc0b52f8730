package localqueue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

const (
	maxDelay  = queue.MaxDelay
	sendGroup = 256 // messages in one write, so that others get between
)

// Send queues the messages. A wrong group refuses all of them, a wrong delay
// or body that message alone. It returns nil if the queue took all, a
// [*queue.Unsent] naming those it did not take, or another error if it took
// none; [queue.ErrBusy] when the backlog or the disk is full.
func (q *Queue) Send(ctx context.Context, messages []queue.Message) error {
	var unsent queue.Unsent
	rows := make([]*row, 0, len(messages))
	now := q.set.now()
	for i, m := range messages {
		err := m.Check()
		if errors.Is(err, queue.ErrGroup) {
			return fmt.Errorf("message %d: %w", i, err)
		}
		if err != nil {
			unsent.Add(i, err)
			continue
		}
		rows = append(rows, q.newRow(i, m, now))
	}
	if c := q.redoes(ctx); c != nil {
		rows = q.hold(c, rows)
	}
	for len(rows) > 0 {
		n := min(len(rows), sendGroup)
		if err := q.send(ctx, rows[:n]); err != nil {
			for _, r := range rows {
				unsent.Add(r.index, err)
			}
			break
		}
		rows = rows[n:]
	}
	return unsent.Result(len(messages))
}

// row is a message on its way into the database.
type row struct {
	entry        // to be queued in memory, if it is placed there
	index int    // into the messages of Send
	group string // its name
	value []byte // of a fresh message; body is in it
}

func (q *Queue) newRow(index int, m queue.Message, now time.Time) *row {
	r := &row{index: index, group: m.Group}
	r.due = placedInMemory
	r.value, r.body = freshValue(q.number, m.Group, m.Body) // a copy: the caller may write into its own
	if m.Delay > 0 {
		r.due = now.Add(m.Delay + time.Millisecond - 1).UnixMilli() // never early
	}
	return r
}

// send writes the rows together and hands those that are placed in memory to
// whoever waits.
func (q *Queue) send(ctx context.Context, rows []*row) error {
	if err := q.admit(len(rows)); err != nil {
		return err
	}
	durability := engine.Ordered
	switch {
	case q.config.Durable:
		durability = engine.Durable
	case q.config.Background:
		durability = engine.Background
	}
	placed := false
	err := q.set.db.Write(ctx, durability, func(tx *engine.Tx) error {
		q.place(rows)
		placed = true
		for _, r := range rows {
			q.insert(tx, r)
		}
		return nil
	})
	q.set.mu.Lock()
	defer q.set.mu.Unlock()
	if errors.Is(err, engine.ErrUnsynced) { // the rows are there, but not promised
		q.arrived(rows)
		return busy(err)
	}
	if err != nil {
		q.total -= len(rows)
		if placed {
			q.forget(rows)
		}
		return busy(err)
	}
	q.arrived(rows)
	return nil
}

// busy makes the refusals of the database those of a queue.
func busy(err error) error {
	if errors.Is(err, webhook.ErrBusy) || errors.Is(err, engine.ErrUnsynced) {
		return fmt.Errorf("%w: %w", queue.ErrBusy, err)
	}
	return err
}

// maxStall is how long the disk may be silent before more durable messages are
// refused: those that wait for it fill memory.
const maxStall = 5 * time.Second

// admit counts n messages to the backlog, if there is room.
func (q *Queue) admit(n int) error {
	if stalled := q.set.db.Stalled(); q.config.Durable && stalled > maxStall {
		return fmt.Errorf("the disk has not answered for %v: %w", stalled.Round(time.Second), queue.ErrBusy)
	}
	q.set.mu.Lock()
	defer q.set.mu.Unlock()
	if limit := q.config.MaxBacklog; limit > 0 && q.total-q.handled >= limit {
		return fmt.Errorf("queue %s has %d messages: %w", q.name, q.total-q.handled, queue.ErrBusy)
	}
	q.total += n
	return nil
}

// place gives the rows their ids and decides which of them stay in memory. It
// runs on the database's one writer: ids ascend in the order of the commits.
func (q *Queue) place(rows []*row) {
	q.set.mu.Lock()
	defer q.set.mu.Unlock()
	for _, r := range rows {
		r.id = q.set.nextID
		q.set.nextID++
		if r.due > 0 {
			continue
		}
		g := q.group(r.group)
		r.entry.group = g
		if g.reserve(&r.entry) {
			r.due = placedInMemory
		} else {
			g.spilling++
			r.due = placedSpilled
		}
	}
}

// forget takes back what place decided. The lock is held.
func (q *Queue) forget(rows []*row) {
	for _, r := range rows {
		switch r.due {
		case placedInMemory:
			r.entry.group.unreserve(&r.entry)
		case placedSpilled:
			r.entry.group.spilling--
		default:
			continue
		}
		q.tidy(r.entry.group)
	}
}

// arrived makes committed rows receivable. The lock is held.
func (q *Queue) arrived(rows []*row) {
	for _, r := range rows {
		switch g := r.entry.group; r.due {
		case placedInMemory:
			g.push(&r.entry)
		case placedSpilled:
			g.spilling--
			g.spill(r.id)
		default:
			q.delayed(r.due)
		}
	}
	q.wake()
}
