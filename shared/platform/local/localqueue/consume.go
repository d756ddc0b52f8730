package localqueue

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/queue"
)

// Options are a consumer's settings.
type Options struct {
	Workers    int           // handlers that run at a time; 0 means 16
	Batch      int           // messages of one group given to a handler together; 0 means 10
	OwnerShare int           // handlers that one owner may occupy; 0 means half of Workers
	GroupShare int           // handlers that one group may occupy; 0 means half of OwnerShare
	Timeout    time.Duration // after which a handler's context ends; 0 means never
	// Grace is how long handlers go on when the set is closed, after which their
	// context ends and what they were at is received again at the next start; 0
	// means until Close gives up.
	Grace time.Duration
	// Backoff is how long a message stays hidden that has failed received
	// times; nil doubles from 1 s up to the queue's visibility timeout.
	Backoff func(received int) time.Duration
}

// Handler works on messages and returns the IDs of those that failed. Those
// are received again after a while, the others are deleted. A panic fails all.
type Handler func(ctx context.Context, messages []queue.Message) (failed []string)

// batchBytes bounds the bodies of one batch, as Lambda does.
const batchBytes = 6 << 20

// Consume lets handler work on the queue's messages until the set is closed or
// ctx ends, which is also the handlers' context. It returns at once.
//
// Owners take turns, and the groups of each among themselves. Of w free workers
// an owner gets another one only while it occupies less than w itself: so any
// number of busy owners leave a worker to one that has been quiet, however many
// groups they have. Of what its owner may still have a group gets another one
// by the same rule.
func (q *Queue) Consume(ctx context.Context, o Options, handler Handler) error {
	q.set.mu.Lock()
	defer q.set.mu.Unlock()
	if q.consumer != nil {
		return fmt.Errorf("queue %s has a consumer", q.name)
	}
	ctx, cancel := context.WithCancel(ctx)
	q.set.cancels = append(q.set.cancels, cancel)
	c := &consumer{queue: q, ctx: ctx, cancel: cancel, options: o.filled(q.config), handler: handler}
	c.free = c.options.Workers
	q.consumer, q.read = c, true
	q.wake()
	return nil
}

// filled returns the options with their defaults.
func (o Options) filled(c QueueConfig) Options {
	if o.Workers == 0 {
		o.Workers = 16
	}
	if o.Batch == 0 {
		o.Batch = 10
	}
	if o.OwnerShare == 0 {
		o.OwnerShare = (o.Workers + 1) / 2
	}
	if o.GroupShare == 0 {
		o.GroupShare = (o.OwnerShare + 1) / 2
	}
	if o.Backoff == nil {
		o.Backoff = func(received int) time.Duration {
			return min(time.Second<<min(received-1, 30), c.Visibility)
		}
	}
	return o
}

// consumer hands a queue's messages to goroutines. Those that have nothing to
// do wait a while before they end: a new one must grow its stack first, which
// costs more than a small message.
type consumer struct {
	queue   *Queue
	ctx     context.Context
	cancel  context.CancelFunc
	options Options
	handler Handler
	free    int // workers
	resting []chan task
}

// task is a batch for one worker.
type task struct {
	group *group
	batch []*entry
	cause *cause // nil if nobody asks for it
}

// rest is how long a worker waits for more before it ends.
const rest = time.Second

// dispatch starts workers while there is work for them. The lock is held.
func (c *consumer) dispatch() {
	for c.free > 0 && c.queue.turns.n > 0 {
		t := c.next()
		if t.group == nil {
			return
		}
		c.assign(t)
	}
}

// assign gives the task to the worker that has rested least, or to a new one.
// The lock is held.
func (c *consumer) assign(t task) {
	if n := len(c.resting); n > 0 {
		c.resting[n-1] <- t // has room for one
		c.resting = c.resting[:n-1]
		return
	}
	go c.work(t)
}

// next takes the next batch for one worker; no group if there is none. The
// lock is held.
func (c *consumer) next() (t task) {
	if set := c.queue.set; c.free == 0 || set.closing || set.stalled || c.ctx.Err() != nil {
		return t
	}
	g := c.queue.nextTurn(c.mayRun, c.mayOwn)
	if g == nil {
		return t
	}
	batch := g.take(c.options.Batch, batchBytes)
	c.queue.enlist(g)
	c.free--
	g.running++
	g.owner.running++
	c.queue.set.handlers++
	if len(c.queue.causing) > 0 {
		t.cause = &cause{queue: c.queue}
	}
	t.group, t.batch = g, batch
	return t
}

// mayOwn reports whether an owner may occupy another worker.
func (c *consumer) mayOwn(o *owner) bool {
	return o.running < min(c.options.OwnerShare, c.free) && c.queue.ahead(o.name)
}

// mayRun reports whether a group of an owner whose turn it is may occupy
// another worker.
func (c *consumer) mayRun(g *group) bool {
	return g.running < min(c.options.GroupShare, c.options.OwnerShare-g.owner.running, c.free)
}

// work handles batches until there have been none for a while.
func (c *consumer) work(t task) {
	set := c.queue.set
	more := make(chan task, 1)
	for t.group != nil {
		var failed map[string]bool
		rest := c.queue.checkReceipts(c.ctx, t.batch)
		if len(rest) > 0 {
			failed = c.handle(rest, t.cause)
		}
		set.mu.Lock()
		c.finish(t, rest, failed)
		t = c.next()
		if t.group == nil {
			set.checkDrained()
			t = c.wait(more)
		}
		set.mu.Unlock()
	}
}

// wait rests until there is a task; one without a group tells the worker to
// end. The lock is held, and released meanwhile.
func (c *consumer) wait(more chan task) (t task) {
	if c.queue.set.closing {
		return t
	}
	c.resting = append(c.resting, more)
	c.queue.set.mu.Unlock()
	timeout := time.NewTimer(rest)
	select {
	case t = <-more:
		timeout.Stop()
		c.queue.set.mu.Lock()
		return t
	case <-timeout.C:
	}
	c.queue.set.mu.Lock()
	if i := slices.Index(c.resting, more); i >= 0 {
		c.resting = slices.Delete(c.resting, i, i+1)
		return t
	}
	return <-more // it came at the last moment
}

// dismiss ends the workers that rest. The lock is held.
func (c *consumer) dismiss() {
	for _, more := range c.resting {
		close(more)
	}
	c.resting = nil
}

// finish decides about the batch and frees the worker. The lock is held.
func (c *consumer) finish(t task, batch []*entry, failed map[string]bool) {
	g := t.group
	now := c.queue.set.now()
	for _, e := range batch {
		if failed[idText(e.id)] {
			c.queue.failed(e, now.Add(c.options.Backoff(e.received)).UnixMilli())
		} else {
			c.queue.finished(e, t.cause)
		}
	}
	if c.queue.config.RedoneBy != "" {
		g.owner.pace.count(len(batch), time.Now())
	}
	c.free++
	g.running--
	g.owner.running--
	c.queue.set.handlers--
	c.queue.enlist(g)
	c.queue.tidy(g)
}

// hurry ends the handlers' context when their grace is over.
func (c *consumer) hurry() {
	if c.options.Grace > 0 {
		time.AfterFunc(c.options.Grace, c.cancel)
	}
}

// handle runs the handler and returns the IDs that failed.
func (c *consumer) handle(batch []*entry, why *cause) (failed map[string]bool) {
	messages := make([]queue.Message, len(batch))
	for i, e := range batch {
		messages[i] = e.message()
	}
	failed = map[string]bool{}
	defer func() {
		if p := recover(); p != nil {
			c.queue.set.log.Error("panic in a handler", "queue", c.queue.name, "panic", p, "stack", string(debug.Stack()))
			for _, e := range batch {
				failed[idText(e.id)] = true
			}
		}
	}()
	ctx := causing(c.ctx, why)
	if c.options.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.options.Timeout)
		defer cancel()
	}
	for _, id := range c.handler(ctx, messages) {
		failed[id] = true
	}
	return failed
}

// checkReceipts counts this receipt of messages that an earlier process left,
// before anybody sees them, since one of them may have ended that process. It
// returns the entries that can be handed out: not those that were received too
// often, or whose receipt could not be counted.
func (q *Queue) checkReceipts(ctx context.Context, entries []*entry) []*entry {
	var old []*entry
	rest := entries[:0]
	for _, e := range entries {
		if e.id < q.set.first || q.spent(e.received-1) {
			old = append(old, e)
		} else {
			rest = append(rest, e)
		}
	}
	if len(old) == 0 {
		return rest
	}
	err := q.set.db.Write(ctx, engine.Ordered, func(tx *engine.Tx) error {
		for _, e := range old {
			if e.due != placedInMemory { // it is, if an earlier process left it
				tx.Set(q.placed(e.group.name, e))
			}
		}
		return nil
	})
	q.set.mu.Lock()
	defer q.set.mu.Unlock()
	soon := q.set.now().Add(retryWrite).UnixMilli()
	for _, e := range old {
		switch {
		case q.spent(e.received - 1):
			q.failed(e, soon)
		case err != nil:
			e.received--
			q.set.decide(outcome{queue: q, entry: e, kind: retried, due: soon})
		default:
			rest = append(rest, e)
		}
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		q.set.log.Error("count receipts", "queue", q.name, "error", err)
	}
	return rest
}
