package localdb

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
)

// call is one call of Write on its way.
type call struct {
	fn         func(tx *Tx) error
	durability Durability
	state      atomic.Int32
	committed  chan struct{} // gets a token when only the disk is waited for
	done       chan struct{} // gets a token when err and panicked are final
	err        error
	panicked   any
}

const (
	callWaits int32 = iota
	callRuns
	callCanceled
)

func (c *call) begin(durability Durability, fn func(tx *Tx) error) {
	c.durability, c.fn = durability, fn
	c.state.Store(callWaits)
}

// end forgets the caller's things.
func (c *call) end() {
	c.fn, c.err, c.panicked = nil, nil, nil
	select {
	case <-c.committed:
	default:
	}
}

// unsynced is the end of a call whose caller waits no longer. The syncer still
// has the call, so it is not used again.
func (c *call) unsynced(ctx context.Context) error {
	select {
	case <-c.done: // after all
		return c.err
	default:
		return fmt.Errorf("%w: %w", ErrUnsynced, context.Cause(ctx))
	}
}

// cancel reports whether the call will never run.
func (c *call) cancel() bool { return c.state.CompareAndSwap(callWaits, callCanceled) }

func (c *call) take() bool { return c.state.CompareAndSwap(callWaits, callRuns) }

// run runs fn. A panic becomes its caller's.
func (c *call) run(tx *Tx) {
	defer func() {
		if p := recover(); p != nil {
			c.panicked, c.err = p, fmt.Errorf("panic in a write: %v", p)
		}
	}()
	c.panicked = nil
	tx.wrote = false
	c.err = c.fn(tx)
}

// writer runs the calls until the database closes.
func (db *DB) writer() {
	defer close(db.stopped)
	var group []*call
	for range db.wake {
		for {
			runtime.Gosched() // whoever is ready to write gets into this group
			var closing bool
			if group, closing = db.takeGroup(group[:0]); len(group) == 0 {
				if closing {
					return
				}
				break
			}
			db.runGroup(group)
		}
	}
}

// takeGroup moves calls that wait to group: those that somebody waits for, and
// as many of the background, so that neither falls behind the other; but a few
// of it at least.
func (db *DB) takeGroup(group []*call) (_ []*call, closing bool) {
	db.mu.Lock()
	defer db.mu.Unlock()
	group = take(&db.waiting[0], group, maxGroup/2)
	group = take(&db.waiting[1], group, len(group)+max(background, len(group)))
	return group, db.closing
}

// take moves calls from a lane to group until that has limit calls.
func take(lane *[]*call, group []*call, limit int) []*call {
	waiting, taken := *lane, 0
	for ; taken < len(waiting) && len(group) < limit; taken++ {
		if c := waiting[taken]; c.take() {
			group = append(group, c)
		}
	}
	rest := copy(waiting, waiting[taken:])
	clear(waiting[rest:])
	*lane = waiting[:rest]
	return group
}

// runGroup commits the work of all calls of the group together and lets the
// callers go on.
func (db *DB) runGroup(group []*call) {
	defer db.busy.begin()()
	err := db.syncs.failed()
	if err == nil {
		err = db.write.group(group)
	}
	db.note(err)
	for _, c := range group {
		if err != nil {
			c.err = err
		}
		if c.durability == Durable && c.err == nil {
			c.committed <- struct{}{}
			db.syncs.add(c)
			continue
		}
		c.done <- struct{}{}
	}
	db.checkpoints.afterCommit(db)
}

// note keeps the error of a transaction, nil for none, until the next.
func (db *DB) note(err error) {
	if err != nil {
		db.failure.Store(&err)
	} else if db.failure.Load() != nil {
		db.failure.Store(nil)
	}
}

// group runs the calls in one transaction. Its error is that of all of them;
// the error of one stays in it.
func (c *conn) group(calls []*call) error {
	if apart, err := c.together(calls); !apart {
		return err
	}
	return c.apart(calls)
}

// together is the common case: no call has anything to undo. Otherwise it has
// undone all and says that they must run apart.
func (c *conn) together(calls []*call) (apart bool, err error) {
	if err := step(c.begin); err != nil {
		return false, fault(err)
	}
	c.tx = Tx{conn: c}
	for _, call := range calls {
		call.run(&c.tx)
		if c.tx.broken != nil {
			return false, c.tx.broken
		}
		if call.err != nil && c.tx.wrote {
			return true, fault(step(c.rollback))
		}
	}
	return false, c.end()
}

// apart runs each call in a savepoint of its own, which costs more.
func (c *conn) apart(calls []*call) error {
	if err := step(c.begin); err != nil {
		return fault(err)
	}
	c.tx = Tx{conn: c}
	for _, call := range calls {
		if err := c.run("SAVEPOINT one"); err != nil {
			return c.abandon(err)
		}
		call.run(&c.tx)
		if c.tx.broken != nil {
			return c.tx.broken
		}
		end := "RELEASE one"
		if call.err != nil {
			end = "ROLLBACK TO one; RELEASE one"
		}
		if err := c.run(end); err != nil {
			return c.abandon(err)
		}
	}
	return c.end()
}

// end commits.
func (c *conn) end() error {
	if err := step(c.commit); err != nil {
		return c.abandon(err)
	}
	return nil
}

// abandon undoes the transaction because of err.
func (c *conn) abandon(err error) error {
	if !c.AutocommitEnabled() {
		_ = step(c.rollback) // err is what the callers need
	}
	return fault(err)
}
