package localqueue

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/postino/postino/shared/queue"
)

const never = int64(math.MaxInt64) // milliseconds

// Queue is one queue. Its methods may be called concurrently.
type Queue struct {
	set    *Set
	name   string
	number int64 // in the table
	config QueueConfig
	dead   *Queue // nil: no limit of receipts

	// The set's lock guards the rest.
	causing  []*Queue // that are RedoneBy this one
	looking  bool     // a timer runs that wakes it
	total    int      // messages, of every kind
	handled  int      // of those, kept for what was sent for them: see cause
	ready    int      // in memory, not handed out
	spilled  int
	inMemory map[int64]*entry // by id, until their outcome is written
	groups   map[string]*group
	owners   map[string]*owner
	turns    ring[*owner] // with something to hand out
	read     bool         // somebody has asked for messages

	nextDue int64 // a lower bound of the rows' due times not read yet
	cursor  due   // delayed rows up to here are read, or known
	lowered int64 // least due time that was added during a load
	loading bool
	loads   []*group           // waiting to be read back
	gone    map[int64]struct{} // whose outcome was written during a load

	timer    alarm
	receipts map[string]*entry
	expiries []expiry        // of receipts, in order of time
	waiters  []chan struct{} // of Receive
	consumer *consumer
}

// due is a place in the index of delayed rows.
type due struct{ at, id int64 }

// expiry is when a receipt becomes stale.
type expiry struct {
	at      int64
	receipt string
}

func newQueue(s *Set, name string, c QueueConfig) *Queue {
	q := &Queue{
		set: s, name: name, config: c, nextDue: never,
		inMemory: map[int64]*entry{}, groups: map[string]*group{}, owners: map[string]*owner{}, receipts: map[string]*entry{},
	}
	q.timer.ring = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		q.timer.stop()
		q.wake()
	}
	return q
}

// Name returns the queue's name.
func (q *Queue) Name() string { return q.name }

// Backlog counts the messages in the queue: waiting, delayed and handed out. Those
// that are kept for what was sent for them are not counted.
func (q *Queue) Backlog(context.Context) (int, error) {
	q.set.mu.Lock()
	defer q.set.mu.Unlock()
	return q.total - q.handled, nil
}

// Waiting counts the messages that wait for somebody to take them, neither
// delayed nor handed out, in the owner's groups.
func (q *Queue) Waiting(owner string) int {
	q.set.mu.Lock()
	defer q.set.mu.Unlock()
	if o := q.owners[owner]; o != nil {
		return o.waiting
	}
	return 0
}

// wake looks at what there is to do now. The lock is held.
func (q *Queue) wake() {
	if q.set.closing {
		return
	}
	now := q.set.now().UnixMilli()
	q.expire(now)
	if q.nextDue <= now {
		q.startLoading()
	}
	if q.consumer != nil {
		q.consumer.dispatch()
	}
	if q.ready+q.spilled > 0 {
		q.releaseWaiters()
	}
	q.timer.set(q.nextWake(), now)
}

// nextWake is when time alone gives the queue something to do.
func (q *Queue) nextWake() int64 {
	if len(q.expiries) > 0 {
		return min(q.nextDue, q.expiries[0].at)
	}
	return q.nextDue
}

// idle reports whether nothing is due at now or handed out.
func (q *Queue) idle(now int64) bool {
	return len(q.inMemory) == 0 && q.spilled == 0 && !q.loading && q.nextWake() > now
}

func (q *Queue) releaseWaiters() {
	for _, w := range q.waiters {
		close(w)
	}
	q.waiters = nil
}

// Receive hands out up to limit messages, one of each owner in turn and of an
// owner one of each group in turn, and hides them for the visibility timeout. It waits up to wait for the first. Without
// any it returns none and no error.
func (q *Queue) Receive(ctx context.Context, limit int, wait time.Duration) ([]queue.Message, error) {
	q.isRead()
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for {
		entries, arrival := q.receive(limit, wait > 0)
		if len(entries) > 0 {
			if entries = q.checkReceipts(ctx, entries); len(entries) == 0 {
				continue
			}
			return q.handOut(entries), nil
		}
		if arrival == nil {
			return nil, ctx.Err()
		}
		select {
		case <-arrival:
		case <-timeout.C:
			wait = 0 // a load that runs is waited for
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// isRead notes that messages of this queue are worth their place in memory.
func (q *Queue) isRead() {
	q.set.mu.Lock()
	defer q.set.mu.Unlock()
	q.read = true
}

// receive takes entries, or returns what to wait for: nil if nothing is there
// and nothing is being read.
func (q *Queue) receive(limit int, patient bool) (entries []*entry, arrival chan struct{}) {
	q.set.mu.Lock()
	defer q.set.mu.Unlock()
	q.wake()
	for len(entries) < limit && !q.set.closing {
		g := q.nextTurn(func(*group) bool { return true }, func(*owner) bool { return true })
		if g == nil {
			break
		}
		entries = append(entries, g.take(1, queue.MaxBody)...)
		q.enlist(g)
	}
	if len(entries) == 0 && (patient || q.loading) && !q.set.closing {
		arrival = make(chan struct{})
		q.waiters = append(q.waiters, arrival)
	}
	return entries, arrival
}

// handOut gives the entries their receipts.
func (q *Queue) handOut(entries []*entry) []queue.Message {
	q.set.mu.Lock()
	defer q.set.mu.Unlock()
	messages := make([]queue.Message, len(entries))
	now := q.set.now()
	for i, e := range entries {
		e.receipt = idText(e.id) + "." + strconv.Itoa(e.received)
		q.receipts[e.receipt] = e
		q.expiries = append(q.expiries, expiry{now.Add(q.config.Visibility).UnixMilli(), e.receipt})
		messages[i] = e.message()
	}
	q.timer.set(q.nextWake(), now.UnixMilli())
	return messages
}

// expire makes messages whose visibility timeout is over receivable again.
func (q *Queue) expire(now int64) {
	for len(q.expiries) > 0 {
		receipt := q.expiries[0].receipt
		e := q.receipts[receipt]
		if e != nil && q.expiries[0].at > now {
			return
		}
		q.expiries = q.expiries[1:]
		if e != nil {
			delete(q.receipts, receipt)
			q.failed(e, now)
		}
	}
}

// Delete removes received messages for good. A receipt that is stale, because
// its visibility timeout has passed, deletes nothing and is no error.
func (q *Queue) Delete(ctx context.Context, receipts []string) error {
	written := &await{done: make(chan struct{})}
	q.set.mu.Lock()
	for _, receipt := range receipts {
		if e := q.receipts[receipt]; e != nil {
			delete(q.receipts, receipt)
			written.missing++
			q.set.decide(outcome{queue: q, entry: e, kind: deleted, await: written})
		}
	}
	empty := written.missing == 0
	q.set.mu.Unlock()
	if empty {
		return nil
	}
	select {
	case <-written.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func idText(id int64) string { return strconv.FormatInt(id, 36) }

// alarm rings at a time of the set's clock, whose lock guards it.
type alarm struct {
	ring  func()
	timer *time.Timer // nil when not set
	at    int64
	early time.Duration // least wait after it rang too early: the clock stands still
}

// set sets the time, never for none.
func (a *alarm) set(at, now int64) {
	if a.timer != nil && at == a.at {
		return
	}
	if at != a.at {
		a.early = 0
	}
	a.stop()
	if a.at = at; at == never || at <= now {
		return // what is due is being worked on, and sets the alarm in the end
	}
	wait := max(time.Duration(at-now)*time.Millisecond, a.early)
	a.early = min(2*a.early+time.Millisecond, time.Second)
	a.timer = time.AfterFunc(wait, a.ring)
}

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}
