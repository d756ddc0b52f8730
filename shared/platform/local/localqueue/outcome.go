package localqueue

import (
	"context"
	"time"

	"github.com/postino/postino/shared/platform/local/engine"
)

// outcome is what becomes of a message that was handed out.
type outcome struct {
	queue *Queue
	entry *entry
	kind  outcomeKind
	due   int64  // of retried
	value []byte // of kept
	cause *cause // of a message in memory alone
	await *await // nil if nobody waits
}

type outcomeKind int

const (
	deleted outcomeKind = iota
	retried
	buried // in the dead-letter queue
	kept   // what was in memory alone: it is stored
)

// await is closed when all of several outcomes are written.
type await struct {
	missing int
	done    chan struct{}
}

const (
	maxOutcomes = 32                     // in one write: a millisecond of work
	retryWrite  = 100 * time.Millisecond // after a failed one
)

// failed decides about a message that was not acknowledged: it can be received
// again from due on, or has been received too often.
func (q *Queue) failed(e *entry, due int64) {
	o := outcome{queue: q, entry: e, kind: retried, due: due}
	if q.spent(e.received) {
		o.kind = buried
	}
	q.set.decide(o)
}

// spent reports whether a message with so many receipts gets no more.
func (q *Queue) spent(received int) bool {
	return q.dead != nil && q.config.MaxReceive > 0 && received >= q.config.MaxReceive
}

// decide adds the outcome to those that are written next, which needs no body
// unless it was in memory alone. Of such a message nothing is written when it is
// deleted. The lock is held.
func (s *Set) decide(o outcome) {
	o.cause, o.entry.cause = o.entry.cause, nil
	nowhere := o.entry.due == placedNowhere
	if o.kind != kept && (!nowhere || o.kind == deleted) {
		o.entry.strip()
	}
	if nowhere && o.kind == deleted && o.await == nil {
		o.written()
		return
	}
	s.outcomes = append(s.outcomes, o)
	if !s.writing {
		s.writing = true
		go s.writeOutcomes()
	}
}

// writeOutcomes writes until there are none, many at a time.
func (s *Set) writeOutcomes() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.outcomes) > 0 {
		batch := s.outcomes[:min(len(s.outcomes), maxOutcomes)]
		s.outcomes = s.outcomes[len(batch):]
		s.mu.Unlock()
		s.write(batch)
		s.mu.Lock()
		for _, o := range batch {
			o.written()
		}
		s.resume()
		for _, o := range batch {
			if o.kind == retried || o.kind == buried {
				o.queue.wake()
			}
			if o.kind == buried {
				o.queue.dead.wake()
			}
		}
	}
	s.outcomes = nil
	s.writing = false
	s.checkDrained()
}

// resume lets the consumers go on. The lock is held.
func (s *Set) resume() {
	if !s.stalled {
		return
	}
	s.stalled = false
	for _, q := range s.queues {
		q.wake()
	}
}

// stall stops the consumers until a batch of outcomes is written.
func (s *Set) stall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stalled = true
}

// write writes the batch, however long that takes: the messages stay handed
// out until it is done.
func (s *Set) write(batch []outcome) {
	for failures := 0; ; failures++ {
		err := s.db.Write(context.Background(), engine.Background, func(tx *engine.Tx) error {
			for _, o := range batch {
				if err := o.write(tx); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil {
			return
		}
		s.stall()
		if failures%100 == 0 {
			s.log.Error("write outcomes of messages", "error", err)
		}
		time.Sleep(retryWrite)
	}
}

func (o outcome) write(tx *engine.Tx) error {
	switch o.kind {
	case kept:
		tx.Set(freshKey(o.entry.id), o.value)
	case deleted:
		o.queue.drop(tx, o.entry)
	case retried:
		return o.queue.replace(tx, o.entry, o.queue, o.due, o.entry.received)
	case buried:
		return o.queue.replace(tx, o.entry, o.queue.dead, placedSpilled, 0)
	}
	return nil
}

// written takes note that the outcome is committed. The lock is held.
func (o outcome) written() {
	q := o.queue
	q.set.settle(o.cause)
	if o.kind == kept {
		return
	}
	q.release(o.entry)
	switch o.kind {
	case deleted:
		q.total--
	case retried:
		q.delayed(o.due)
	case buried:
		q.total--
		q.dead.adopt(o.entry)
	}
	if o.await == nil {
		return
	}
	if o.await.missing--; o.await.missing == 0 {
		close(o.await.done)
	}
}

// release ends the entry's stay in memory.
func (q *Queue) release(e *entry) {
	delete(q.inMemory, e.id)
	e.group.owner.hold(-e.size())
	q.tidyOwner(e.group.owner)
	if q.loading {
		q.gone[e.id] = struct{}{}
	}
}

// adopt notes that the entry's row has moved here from another queue.
func (q *Queue) adopt(e *entry) {
	q.total++
	q.group(e.group.name).spill(e.id)
}

// delayed notes a committed row that is due at the time.
func (q *Queue) delayed(at int64) {
	q.nextDue = min(q.nextDue, at)
	q.lowered = min(q.lowered, at)
	if at <= q.cursor.at {
		q.cursor = due{at: at}
	}
}
