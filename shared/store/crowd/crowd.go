// Package crowd changes the state of keys that many change at once, such as that of
// a trigger for one user. Those in a process who change the same key are a crowd: one
// of them works for all who wait, with one read and one write. It only saves
// conflicts: what is right is the store's conditions to say.
package crowd

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// changesAtOnce and partsAtOnce bound the changes of one key that are stored
// together, and what they are about. Each has parts of its own, at least its mark, and
// shares some with others: a transaction of DynamoDB takes 100.
const (
	changesAtOnce = 32
	partsAtOnce   = 96
)

// AtOnce is the most changes of one call.
const AtOnce = changesAtOnce

// Change is one change of the state of a key, all or nothing.
type Change struct {
	Refs []webhook.StateRef // the parts that it is about, all of one key
	// Make returns the parts that change, given all of them. It is called again
	// whenever they are not any more as they were given.
	Make func([]webhook.StateItem) ([]webhook.StateItem, error)
	Err  error // once it was made, or why not
}

// member is one of a crowd, with changes to be made in order: what comes after
// one that failed is held.
type member struct {
	changes []*Change
	lead    chan struct{} // closed when it is to work, for itself and who waits
	done    chan struct{} // closed when another has worked for it
}

// Store is where state is kept; see trigger's Store.
type Store interface {
	TriggerState(ctx context.Context, refs []webhook.StateRef) ([]webhook.StateItem, error)
	SaveTriggerState(ctx context.Context, items []webhook.StateItem) error
}

// Crowds are those of a process, by key. They are safe for concurrent use.
type Crowds struct {
	Jitter func(time.Duration) time.Duration // a random part of it; nil means just that
	// Arrive is called before parts of a key's state are changed, and returns when it
	// is their turn to join; nil as a rule.
	Arrive func(ctx context.Context, parts []webhook.StateRef) error

	store   Store
	mu      sync.Mutex
	waiting map[webhook.StateRef][]*member // by key, while somebody works
	hot     map[webhook.StateRef]time.Time // keys that other processes change too, and until when that is assumed
}

// New returns crowds that change the state in a store.
func New(store Store) *Crowds {
	return &Crowds{store: store, waiting: map[webhook.StateRef][]*member{}, hot: map[webhook.StateRef]time.Time{}}
}

// Of a key that other processes change too, changes are gathered for a moment
// before the first try, as before the fifth: tries that come to nothing use up
// what the key's partition takes.
const (
	hotTry  = 4
	hotFor  = time.Second
	mostHot = 1024 // keys remembered
)

// heat notes that other processes change a key.
func (c *Crowds) heat(key webhook.StateRef) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.hot) >= mostHot {
		clear(c.hot)
	}
	c.hot[key] = time.Now().Add(hotFor)
}

// firstTry is which try the first of a key pauses as.
func (c *Crowds) firstTry(key webhook.StateRef) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	until, noted := c.hot[key]
	if !noted {
		return 0
	}
	if time.Now().After(until) {
		delete(c.hot, key)
		return 0
	}
	return hotTry
}

// join returns true when the member is to work, false when its changes were made
// by another.
func (c *Crowds) join(ctx context.Context, key webhook.StateRef, m *member) (leads bool, err error) {
	c.mu.Lock()
	waiting, busy := c.waiting[key]
	if !busy {
		c.waiting[key] = nil
		c.mu.Unlock()
		return true, nil
	}
	c.waiting[key] = append(waiting, m)
	c.mu.Unlock()
	select {
	case <-m.lead:
		return true, nil
	case <-m.done:
		return false, nil
	case <-ctx.Done():
		return false, c.leave(ctx, key, m)
	}
}

// leave takes back a member that waits no longer. One that somebody works for
// already stays until that is done.
func (c *Crowds) leave(ctx context.Context, key webhook.StateRef, m *member) error {
	c.mu.Lock()
	i := slices.Index(c.waiting[key], m)
	if i >= 0 {
		c.waiting[key] = slices.Delete(c.waiting[key], i, i+1)
	}
	c.mu.Unlock()
	if i >= 0 {
		return ctx.Err()
	}
	select {
	case <-m.lead:
		c.next(key)
		return ctx.Err()
	case <-m.done:
		return nil
	}
}

// gather adds who waits to those who are worked for, as many as fit.
func (c *Crowds) gather(key webhook.StateRef, together []*member) []*member {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, parts := 0, map[webhook.StateRef]bool{}
	for _, m := range together {
		n += len(m.changes)
		m.parts(parts)
	}
	for waiting := c.waiting[key]; len(waiting) > 0 && n+len(waiting[0].changes) <= changesAtOnce; {
		if waiting[0].parts(parts); len(parts) > partsAtOnce {
			break
		}
		n += len(waiting[0].changes)
		together, waiting = append(together, waiting[0]), waiting[1:]
		c.waiting[key] = waiting
	}
	return together
}

// parts adds those that the member's changes are about.
func (m *member) parts(all map[webhook.StateRef]bool) {
	for _, c := range m.changes {
		for _, ref := range c.Refs {
			all[ref] = true
		}
	}
}

// next ends the work of one, and begins that of who waits longest.
func (c *Crowds) next(key webhook.StateRef) {
	c.mu.Lock()
	defer c.mu.Unlock()
	waiting := c.waiting[key]
	if len(waiting) == 0 {
		delete(c.waiting, key)
		return
	}
	c.waiting[key] = waiting[1:]
	close(waiting[0].lead)
}
