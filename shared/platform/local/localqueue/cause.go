package localqueue

import (
	"context"
	"time"
)

// cause is a batch on which a handler works, in the view of a queue that the
// batch's own redoes: see [QueueConfig.RedoneBy]. The batch is deleted when nothing
// that was sent for it is in memory alone. The set's lock guards it.
type cause struct {
	queue *Queue
	sent  []*entry // for it, in memory alone
	open  int      // of those, still to be dealt with
	done  []*entry // of the batch, handled, to be deleted
	until time.Time
}

// causeTime is how long a batch is kept, once it is handled, for what was sent for
// it. What is still in memory then is stored.
const causeTime = 5 * time.Second

type causeKey struct{}

// causing is the context of a handler whose messages others wait for.
func causing(ctx context.Context, c *cause) context.Context {
	if c == nil {
		return ctx
	}
	return context.WithValue(ctx, causeKey{}, c)
}

// redoes returns the batch that a handler works on in ctx, if the queue's messages
// need not be stored while that is; else nil.
func (q *Queue) redoes(ctx context.Context) *cause {
	if q.config.RedoneBy == "" {
		return nil
	}
	c, _ := ctx.Value(causeKey{}).(*cause)
	if c == nil || c.queue.name != q.config.RedoneBy {
		return nil
	}
	return c
}

// hold hands rows to whoever waits, without storing them, and returns those that
// have to be stored: for them memory has no room, or they are delayed. Of one group
// all after the first of those are among them.
func (q *Queue) hold(c *cause, rows []*row) (rest []*row) {
	q.set.mu.Lock()
	defer q.set.mu.Unlock()
	if limit := q.config.MaxBacklog; q.set.closing || limit > 0 && q.total-q.handled+len(rows) > limit {
		return rows
	}
	var full map[*group]bool
	for _, r := range rows {
		g := q.group(r.group)
		if r.due > 0 || full[g] || !g.reserve(&r.entry) {
			if full == nil {
				full = map[*group]bool{}
			}
			full[g] = true
			rest = append(rest, r)
			continue
		}
		r.id = q.set.nextID
		q.set.nextID++
		r.due, r.cause = placedNowhere, c
		c.open++
		c.sent = append(c.sent, &r.entry)
		q.total++
		g.push(&r.entry)
	}
	for g := range full {
		q.tidy(g)
	}
	q.wake()
	return rest
}

// finished deletes what a handler has dealt with, at once or when what was sent for
// it is dealt with too. The lock is held.
func (q *Queue) finished(e *entry, c *cause) {
	if c == nil || c.open == 0 {
		q.set.decide(outcome{queue: q, entry: e, kind: deleted})
		return
	}
	e.strip()
	q.handled++
	if c.done = append(c.done, e); len(c.done) == 1 {
		c.until = time.Now().Add(causeTime)
		q.set.causes.push(c)
		q.set.watchCauses(causeTime)
	}
}

// settle notes that a message in memory alone has been dealt with, or is stored. Nil
// is the cause of others. The lock is held.
func (s *Set) settle(c *cause) {
	if c == nil {
		return
	}
	if c.open--; c.open > 0 {
		return
	}
	done := c.done
	c.done, c.sent = nil, nil
	c.queue.handled -= len(done)
	for _, e := range done {
		s.decide(outcome{queue: c.queue, entry: e, kind: deleted})
	}
}

// watchCauses sees to it that what is in memory alone for too long is stored. The
// lock is held.
func (s *Set) watchCauses(after time.Duration) {
	if !s.watching && !s.closing {
		s.watching = true
		time.AfterFunc(after, s.storeLate)
	}
}

func (s *Set) storeLate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watching = false
	for s.causes.n > 0 && !s.closing {
		if wait := time.Until(s.causes.front().until); wait > 0 {
			s.watchCauses(wait)
			return
		}
		for _, e := range s.causes.pop().sent {
			s.store(e)
		}
	}
}

// store has a message stored that is in memory alone and has not been dealt with.
// From now on it is fresh: what becomes of it is written after this. The lock is
// held.
func (s *Set) store(e *entry) {
	if e.cause == nil {
		return
	}
	q := e.group.queue
	e.due = placedInMemory
	value, _ := freshValue(q.number, e.group.name, e.body)
	s.decide(outcome{queue: q, entry: e, kind: kept, value: value})
}
