// Package localqueue implements the queues of local mode: messages in the local
// engine, and those that wait in memory, too. Owners take turns first, then the
// groups of each owner.
//
// A message is stored from Send to Delete. What is handed out, and to whom, is
// known only in memory: after a crash every message is there again. Only what a
// handler sends is not stored if its own message, which then stays, would have it
// sent again: see [QueueConfig.RedoneBy]. A message is
//
//	fresh    in memory too: it goes straight to a waiting consumer, and costs one row
//	spilled  its group or owner had too much in memory; read back when the group's turn comes
//	delayed  until a time; or due since, and in memory
//
// The latter two cost another row, by which they are found.
//
// Memory holds up to [Config.Memory] of bodies, of which one owner has half, a
// little more while they are read back, and about 200 bytes for each group that
// has messages waiting. A queue that nobody reads keeps its messages on the disk.
//
// While the database takes no writes, because its disk is full, say, consumers
// get nothing more: the outcome of their work could not be kept.
package localqueue

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/postino/postino/shared/platform/local/engine"
)

// Config is what all queues of one database share.
type Config struct {
	Now    func() time.Time // our clock; nil is the real one, unmoved by changes of the wall clock
	Memory int              // bytes of waiting messages kept in memory; 0 means 64 MiB
	Log    *slog.Logger     // for panics of handlers and failing writes; nil means slog.Default
}

const (
	defaultMemory = 64 << 20
	groupMessages = 1024 // of one group in memory; the rest is spilled
)

// Set is the queues of one database.
type Set struct {
	db  *engine.DB
	now func() time.Time
	log *slog.Logger

	limit int   // bytes of bodies in memory
	first int64 // ids from here on were given by this process

	mu       sync.Mutex // for all below, and for the queues
	queues   map[string]*Queue
	memory   int            // bytes of messages
	byOwner  map[string]int // the same, by owner
	nextID   int64
	outcomes []outcome // wait to be written
	writing  bool      // a goroutine writes outcomes
	stalled  bool      // the database takes no outcomes: nothing more is handed to consumers
	handlers int       // run now
	closing  bool
	causes   ring[*cause]  // handled, in order of time; some have been deleted since
	watching bool          // a timer runs for the first of them
	drained  chan struct{} // closed when closing and nothing runs
	cancels  []context.CancelFunc
}

// New opens the queues in db.
func New(ctx context.Context, db *engine.DB, c Config) (*Set, error) {
	s := &Set{
		db: db, now: c.Now, log: c.Log, limit: c.Memory,
		queues: map[string]*Queue{}, byOwner: map[string]int{}, drained: make(chan struct{}),
	}
	if s.now == nil {
		start := time.Now()
		s.now = func() time.Time { return start.Add(time.Since(start)) }
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.limit == 0 {
		s.limit = defaultMemory
	}
	epoch, err := openRows(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("open queues: %w", err)
	}
	s.first = epoch << epochShift
	s.nextID = s.first
	return s, nil
}

// QueueConfig is one queue's settings.
type QueueConfig struct {
	Visibility time.Duration // how long a received message stays hidden; 0 means 30 s
	MaxReceive int           // receipts after which a message becomes a dead letter; 0 means no limit
	DeadLetter string        // the name of the queue for those; needed with MaxReceive
	Durable    bool          // Send returns only when the disk has the messages: for what nobody could send again
	Background bool          // what is sent lets the writes of other queues pass
	// RedoneBy names the queue whose handlers send here what they would send again if
	// their message came again. Of what they send while they work on it, nothing need be
	// stored that is dealt with within seconds: until then their message is kept.
	RedoneBy   string
	MaxBacklog int // messages at which Send is refused with [queue.ErrBusy]; 0 means no limit
}

const defaultVisibility = 30 * time.Second

// Queue opens the queue of this name, which is made by first use. A second
// call for a name returns the same queue with its first settings.
func (s *Set) Queue(ctx context.Context, name string, c QueueConfig) (*Queue, error) {
	if c.MaxReceive > 0 && (c.DeadLetter == "" || c.DeadLetter == name) {
		return nil, fmt.Errorf("queue %s: MaxReceive needs another queue for dead letters", name)
	}
	if c.Visibility == 0 {
		c.Visibility = defaultVisibility
	}
	if q := s.known(name); q != nil {
		return q, nil
	}
	q := newQueue(s, name, c)
	if err := q.open(ctx); err != nil {
		return nil, fmt.Errorf("open queue %s: %w", name, err)
	}
	if c.DeadLetter != "" {
		dead, err := s.Queue(ctx, c.DeadLetter, QueueConfig{})
		if err != nil {
			return nil, err
		}
		q.dead = dead
	}
	return s.add(q), nil
}

func (s *Set) known(name string) *Queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queues[name]
}

// add registers q, unless another call was faster.
func (s *Set) add(q *Queue) *Queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	if earlier := s.queues[q.name]; earlier != nil {
		return earlier
	}
	s.queues[q.name] = q
	for _, other := range s.queues {
		if other.config.RedoneBy == q.name {
			q.causing = append(q.causing, other)
		}
		if q.config.RedoneBy == other.name {
			other.causing = append(other.causing, q)
		}
	}
	q.wake()
	return q
}

// Poke says that the clock jumped: what is due now is handed out now.
func (s *Set) Poke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.queues {
		q.timer.stop() // it was set by the clock before
		q.wake()
	}
}

// Idle reports whether the queues that have a consumer have nothing left that
// is due at now, nor anything handed out.
func (s *Set) Idle(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.queues {
		if q.consumer != nil && !q.idle(now.UnixMilli()) {
			return false
		}
	}
	return true
}

// NextDue returns when the next message of a queue with a consumer becomes
// due, which may have been already; false if none is delayed.
func (s *Set) NextDue() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := never
	for _, q := range s.queues {
		if q.consumer != nil {
			next = min(next, q.nextWake())
		}
	}
	return time.UnixMilli(next), next != never
}

// Close hands out no more and waits for the handlers that run; when ctx ends
// first, theirs does too, and that of a consumer with a Grace after it. Sending and the database are left as they are.
func (s *Set) Close(ctx context.Context) error {
	s.mu.Lock()
	if !s.closing {
		s.closing = true
		for _, q := range s.queues {
			q.timer.stop()
			if q.consumer != nil {
				q.consumer.dismiss()
				q.consumer.hurry()
			}
		}
		s.checkDrained()
	}
	s.mu.Unlock()
	select {
	case <-s.drained:
		return nil
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, cancel := range s.cancels {
			cancel()
		}
		return fmt.Errorf("close queues: %w", ctx.Err())
	}
}

// checkDrained lets Close return when nothing runs any more. s.mu is held.
func (s *Set) checkDrained() {
	if !s.closing || s.handlers > 0 || s.writing {
		return
	}
	for _, q := range s.queues {
		if q.loading {
			return
		}
	}
	select {
	case <-s.drained:
	default:
		close(s.drained)
	}
}
