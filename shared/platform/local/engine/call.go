package engine

import (
	"context"
	"fmt"
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
	c.err = c.fn(tx)
}
