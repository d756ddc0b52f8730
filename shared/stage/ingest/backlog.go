package ingest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
)

// Backlog is a queue whose length bounds what is taken.
type Backlog interface {
	// Backlog returns about how many messages are in the queue.
	Backlog(ctx context.Context) (int, error)
}

// Share is a queue that knows whose messages wait in it.
type Share interface {
	// Waiting returns how many messages of a tenant wait for a worker.
	Waiting(tenant string) int
}

// Limit bounds how much may wait behind publishing. Only publishers are
// refused: what was accepted goes on, however much that is. The nil Limit
// bounds nothing.
type Limit struct {
	Messages int           // that may wait in Queues together, a bit more for what one count misses; 0 means no limit
	Queues   []Backlog     // that are counted
	Shares   []Share       // in which one tenant gets half of Messages; may be empty
	Every    time.Duration // how long a count is good for; counting SQS costs a request

	mu      sync.Mutex
	counted time.Time
	waiting int
}

// backlogAfter is when a publisher should come back: a backlog that reached
// its limit does not pass in a second.
const backlogAfter = 10 * time.Second

const countTimeout = 2 * time.Second

// room returns nil, a 429 when the tenant has its share, or a 503.
func (l *Limit) room(ctx context.Context, tenant string) error {
	if l == nil || l.Messages == 0 {
		return nil
	}
	own := 0
	for _, s := range l.Shares {
		own += s.Waiting(tenant)
	}
	if own >= (l.Messages+1)/2 {
		return httpapi.TenantBacklogFull.Problem("This tenant has the maximum number of waiting messages. Retry later.").After(backlogAfter).
			Because(fmt.Errorf("%d messages of %s wait", own, tenant))
	}
	if waiting := l.count(ctx); waiting >= l.Messages {
		return httpapi.BacklogFull.Problem("The server has the maximum number of waiting messages. Retry later.").After(backlogAfter).Because(fmt.Errorf("%d messages wait", waiting))
	}
	return nil
}

// count returns the last count while it is good, and also when the next one
// fails: a queue that cannot be counted may still take messages.
func (l *Limit) count(ctx context.Context) int {
	l.mu.Lock() // whoever asks meanwhile waits, and gets the same count
	defer l.mu.Unlock()
	if !l.counted.IsZero() && time.Since(l.counted) < l.Every {
		return l.waiting
	}
	l.counted = time.Now()
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	sum := 0
	for _, q := range l.Queues {
		n, err := q.Backlog(ctx)
		if err != nil {
			return l.waiting
		}
		sum += n
	}
	l.waiting = sum
	return sum
}
