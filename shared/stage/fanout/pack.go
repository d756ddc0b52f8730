package fanout

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// splitAfter is the number of receipts after which a pack that still fails is
// taken apart, so that one poison event takes no other with it.
const splitAfter = 3

// eventsAtOnce bounds the events of one pack that are stored, or asked of
// triggers, concurrently.
const eventsAtOnce = 32

// pack handles published events. Each is stored with its plan and sent to those
// who take every match, all at once; then triggers are asked, each key in the
// order of the array that the events came in.
func (f *Fanout) pack(ctx context.Context, v *view, m queue.Message, p message.Pack, out *outgoing) error {
	if len(p.Events) > 1 && m.Received > splitAfter {
		return f.arrays.split(ctx, m.Group, p)
	}
	if len(p.Events) == 1 && p.Request == "" { // most are, and need no goroutine
		a, err := f.event(ctx, v, p.Events[0], false, out)
		if err != nil {
			return err
		}
		return f.askAll(ctx, a, out)
	}
	asked, err := f.eventsOf(ctx, v, p.Events, out)
	if slices.ContainsFunc(asked, (*asking).any) {
		if its, waitErr := f.arrays.turnOf(ctx, m, p, out); waitErr != nil || !its {
			return errors.Join(err, waitErr)
		}
		err = errors.Join(err, f.turns.askInOrder(ctx, asked, out))
	}
	if err != nil {
		return err
	}
	return f.arrays.passOn(ctx, p)
}

// any reports whether anything is to be asked.
func (a *asking) any() bool { return a != nil && len(a.entries) > 0 }

// eventsOf handles the events of a pack, and returns what is to be asked for
// those before the first that failed: what comes after it has to wait for it.
func (f *Fanout) eventsOf(ctx context.Context, v *view, events []webhook.Event, out *outgoing) ([]*asking, error) {
	asked, errs := make([]*asking, len(events)), make([]error, len(events))
	var g errgroup.Group
	if g.SetLimit(eventsAtOnce); f.inTurn {
		g.SetLimit(1)
	}
	for i, e := range events {
		g.Go(func() error {
			defer recovered(&errs[i])
			asked[i], errs[i] = f.event(ctx, v, e, true, out)
			return nil
		})
	}
	_ = g.Wait() // the errors are in errs
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return asked[:i], errs[i]
	}
	return asked, nil
}

// recovered makes a panic an error: one in a goroutine of ours would end the
// process.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("panic: %v", r)
	}
}
