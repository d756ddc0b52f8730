package fanout

import (
	"context"
	"errors"
	"slices"

	"github.com/postino/postino/shared/webhook"
)

// change makes one change of a key's state, all or nothing.
func (f *Fanout) change(ctx context.Context, refs []webhook.StateRef, change func([]webhook.StateItem) ([]webhook.StateItem, error)) error {
	c := &stateChange{refs: refs, make: change}
	f.changeInOrder(ctx, []*stateChange{c})
	return c.err
}

// changeInOrder makes changes of one key, at most changesAtOnce, and notes in each
// whether it was made. They are made again whenever the state is not any more as
// it was given them.
func (f *Fanout) changeInOrder(ctx context.Context, changes []*stateChange) {
	key := changes[0].refs[0]
	key.Part = ""
	for {
		m := &member{changes: changes, lead: make(chan struct{}), done: make(chan struct{})}
		if err := f.arrived(ctx, changes); err != nil {
			m.fail(err)
			return
		}
		leads, err := f.crowds.join(ctx, key, m)
		switch {
		case err != nil:
			m.fail(err)
		case leads:
			f.lead(ctx, key, m)
		case ctx.Err() == nil && m.abandoned():
			continue
		}
		return
	}
}

// arrived returns when it is the turn of these changes to join who changes the key.
func (f *Fanout) arrived(ctx context.Context, changes []*stateChange) error {
	if f.arrive == nil {
		return nil
	}
	var parts []webhook.StateRef
	for _, c := range changes {
		parts = append(parts, c.refs...)
	}
	return f.arrive(ctx, parts)
}

// fail notes why no change was made.
func (m *member) fail(err error) {
	for _, c := range m.changes {
		c.err = err
	}
}

// abandoned reports whether the time of who worked for the member was over.
func (m *member) abandoned() bool {
	return slices.ContainsFunc(m.changes, func(c *stateChange) bool {
		return errors.Is(c.err, context.Canceled) || errors.Is(c.err, context.DeadlineExceeded)
	})
}

// lead works for a member and for who waits meanwhile.
func (f *Fanout) lead(ctx context.Context, key webhook.StateRef, m *member) {
	together := []*member{m}
	defer func() {
		for _, other := range together[1:] {
			close(other.done)
		}
		f.crowds.next(key)
	}()
	first := f.crowds.firstTry(key)
	for try := range stateTries {
		err := f.pause(ctx, first+try)
		if err == nil {
			together = f.crowds.gather(key, together)
			err = f.changeTogether(ctx, together)
		}
		if errors.Is(err, webhook.ErrConflict) || errors.Is(err, webhook.ErrBusy) {
			f.crowds.heat(key)
			err = errContended
		}
		if err == nil {
			return
		}
		for _, m := range together {
			m.fail(err)
		}
		if !errors.Is(err, errContended) {
			return
		}
	}
}
