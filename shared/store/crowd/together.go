package crowd

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Change makes one change.
func (c *Crowds) Change(ctx context.Context, refs []webhook.StateRef, change func([]webhook.StateItem) ([]webhook.StateItem, error)) error {
	one := &Change{Refs: refs, Make: change}
	c.ChangeInOrder(ctx, []*Change{one})
	return one.Err
}

// ChangeInOrder makes changes of one key, at most [AtOnce], and notes in each whether
// it was made. What comes after one that failed is held.
func (c *Crowds) ChangeInOrder(ctx context.Context, changes []*Change) {
	key := changes[0].Refs[0]
	key.Part = ""
	for {
		m := &member{changes: changes, lead: make(chan struct{}), done: make(chan struct{})}
		if err := c.arrived(ctx, changes); err != nil {
			m.fail(err)
			return
		}
		leads, err := c.join(ctx, key, m)
		switch {
		case err != nil:
			m.fail(err)
		case leads:
			c.lead(ctx, key, m)
		case ctx.Err() == nil && m.abandoned():
			continue
		}
		return
	}
}

// arrived returns when it is the turn of these changes to join who changes the key.
func (c *Crowds) arrived(ctx context.Context, changes []*Change) error {
	if c.Arrive == nil {
		return nil
	}
	var parts []webhook.StateRef
	for _, one := range changes {
		parts = append(parts, one.Refs...)
	}
	return c.Arrive(ctx, parts)
}

// fail notes why no change was made.
func (m *member) fail(err error) {
	for _, c := range m.changes {
		c.Err = err
	}
}

// abandoned reports whether the time of who worked for the member was over.
func (m *member) abandoned() bool {
	return slices.ContainsFunc(m.changes, func(c *Change) bool {
		return errors.Is(c.Err, context.Canceled) || errors.Is(c.Err, context.DeadlineExceeded)
	})
}

// lead works for a member and for who waits meanwhile.
func (c *Crowds) lead(ctx context.Context, key webhook.StateRef, m *member) {
	together := []*member{m}
	defer func() {
		for _, other := range together[1:] {
			close(other.done)
		}
		c.next(key)
	}()
	first := c.firstTry(key)
	for try := range Tries {
		err := c.Pause(ctx, first+try)
		if err == nil {
			together = c.gather(key, together)
			err = c.changeTogether(ctx, together)
		}
		if errors.Is(err, webhook.ErrConflict) || errors.Is(err, webhook.ErrBusy) {
			c.heat(key)
			err = ErrContended
		}
		if err == nil {
			return
		}
		for _, m := range together {
			m.fail(err)
		}
		if !errors.Is(err, ErrContended) {
			return
		}
	}
}

// How often, and after what pauses, state is read again that somebody else has
// changed meanwhile.
const (
	Tries        = 25
	statePause   = 4 * time.Millisecond
	longestPause = 250 * time.Millisecond
)

// ErrContended reports that others changed a key's state all the time. The
// message comes again.
var ErrContended = errors.New("too many events of one key at once")

// Pause waits before a repeat: not before the first try, then a random time
// that doubles.
func (c *Crowds) Pause(ctx context.Context, try int) error {
	if try == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(c.Random(min(statePause<<min(try, 10), longestPause))):
		return nil
	}
}

// Random is a random part of a time.
func (c *Crowds) Random(longest time.Duration) time.Duration {
	if c.Jitter != nil {
		return c.Jitter(longest)
	}
	return rand.N(longest)
}
