package fanout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

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
		return f.split(ctx, m.Group, p)
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
		if its, waitErr := f.turnOf(ctx, m, p, out); waitErr != nil || !its {
			return errors.Join(err, waitErr)
		}
		err = errors.Join(err, f.askInOrder(ctx, asked, out))
	}
	if err != nil {
		return err
	}
	return f.passOn(ctx, p)
}

// any reports whether anything is to be asked.
func (a *asking) any() bool { return a != nil && len(a.entries) > 0 }

// eventsOf handles the events of a pack, and returns what is to be asked for
// those before the first that failed: what comes after it has to wait for it.
func (f *Fanout) eventsOf(ctx context.Context, v *view, events []webhook.Event, out *outgoing) ([]*asking, error) {
	asked, errs := make([]*asking, len(events)), make([]error, len(events))
	var g errgroup.Group
	g.SetLimit(eventsAtOnce)
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

// errHeld reports that what comes before in the array has failed.
var errHeld = errors.New("what comes before in the array has failed")

// inTurn is one entry that is asked in its turn.
type inTurn struct {
	after []*inTurn
	done  chan struct{}
	err   error // once done
}

// askInOrder asks the triggers of several events: those that touch one key one
// after the other, in the order of the events, others at once. Of one that
// fails, only those of its keys have to wait.
func (f *Fanout) askInOrder(ctx context.Context, events []*asking, out *outgoing) error {
	last := map[webhook.StateRef]*inTurn{} // by key
	var all []*inTurn
	var wg sync.WaitGroup
	free := make(chan struct{}, eventsAtOnce)
	for _, a := range events {
		if a == nil {
			continue
		}
		for _, p := range a.entries {
			turn := &inTurn{done: make(chan struct{})}
			keys, err := keysOf(a.rendering, p)
			for _, key := range keys {
				if before := last[key]; before != nil {
					turn.after = append(turn.after, before)
				}
				last[key] = turn
			}
			if all = append(all, turn); err != nil {
				turn.err = err
				close(turn.done)
				continue
			}
			wg.Go(func() {
				defer close(turn.done)
				turn.err = turn.take(free, func() error { return f.ask(ctx, a.rendering, p, out) })
			})
		}
	}
	wg.Wait()
	for _, turn := range all {
		if turn.err != nil {
			return turn.err // the first: whatever was held comes after it
		}
	}
	return nil
}

// take waits for those before and then for a free place.
func (t *inTurn) take(free chan struct{}, ask func() error) (err error) {
	for _, before := range t.after {
		if <-before.done; before.err != nil {
			return errHeld
		}
	}
	free <- struct{}{}
	defer func() { <-free }()
	defer recovered(&err)
	return ask()
}

// keysOf names the keys that an event touches at a trigger: those whose timers
// it cancels, its own, and its cap's.
func keysOf(r *rendering, p planned) (keys []webhook.StateRef, err error) {
	if p.trigger == nil {
		return nil, nil
	}
	d, err := r.decoded()
	if err != nil {
		return nil, err
	}
	for _, ref := range p.trigger.CancelRefs(p.subscriber.Subscription, d, p.Cancels) {
		ref.Part = ""
		keys = append(keys, ref)
	}
	if p.CancelsOnly {
		return keys, nil
	}
	if o, reason := p.trigger.Occurrence(p.subscriber.Subscription, r.event, d); reason == "" {
		keys = append(keys, o.Keys()...)
	}
	slices.SortFunc(keys, func(a, b webhook.StateRef) int { return strings.Compare(a.Key, b.Key) })
	return slices.Compact(keys), nil
}
