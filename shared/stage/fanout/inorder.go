package fanout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/store/crowd"
	"github.com/postino/postino/shared/webhook"
)

// turns asks the triggers of several events, each key in the order of the events.
type turns struct{ *Fanout }

// inTurn is one entry that is asked in its turn, or several of one key that
// follow one another.
type inTurn struct {
	after   []*inTurn
	entries []asked
	done    chan struct{}
	err     error // once done
}

// asked is one entry of one event.
type asked struct {
	*rendering
	planned
}

// askInOrder asks the triggers of several events: those that touch one key one
// after the other, in the order of the events, others at once. Of one that
// fails, only those of its keys have to wait.
func (f *turns) askInOrder(ctx context.Context, events []*asking, out *outgoing) error {
	all := turnsOf(events)
	var wg sync.WaitGroup
	free := make(chan struct{}, eventsAtOnce)
	for _, turn := range all {
		wg.Go(func() {
			defer close(turn.done)
			turn.err = turn.take(free, func() error { return f.askTurn(ctx, turn.entries, out) })
		})
	}
	wg.Wait()
	for _, turn := range all {
		if turn.err != nil {
			return turn.err // the first: whatever was held comes after it
		}
	}
	return nil
}

// turnsOf makes turns of the entries of several events. What comes after one
// whose keys cannot be told does not wait for it.
func turnsOf(events []*asking) (all []*inTurn) {
	last := map[webhook.StateRef]*inTurn{} // by key
	for _, a := range events {
		if a == nil {
			continue
		}
		for _, p := range a.entries {
			entry := asked{a.rendering, p}
			keys, err := keysOf(a.rendering, p)
			if len(keys) == 1 && last[keys[0]].takes(entry) {
				last[keys[0]].entries = append(last[keys[0]].entries, entry)
				continue
			}
			turn := &inTurn{entries: []asked{entry}, done: make(chan struct{}), err: err}
			for _, key := range keys {
				if before := last[key]; before != nil {
					turn.after = append(turn.after, before)
				}
				last[key] = turn
			}
			all = append(all, turn)
		}
	}
	return all
}

// takes reports whether an entry, whose only key is that of the turn, can be
// decided together with those before it.
func (t *inTurn) takes(next asked) bool {
	return t != nil && len(t.entries) < crowd.AtOnce && t.entries[0].onlyDecides() && next.onlyDecides() &&
		t.entries[0].Version == next.Version && t.entries[0].ID == next.ID
}

// onlyDecides reports whether all that the entry asks for is a decision on its
// own key.
func (a asked) onlyDecides() bool {
	return a.trigger != nil && a.Cancels == 0 && !a.CancelsOnly && !a.Costly && a.replay == ""
}

// take waits for those before and then for a free place.
func (t *inTurn) take(free chan struct{}, ask func() error) (err error) {
	if t.err != nil {
		return t.err
	}
	for _, before := range t.after {
		if <-before.done; before.err != nil {
			return crowd.ErrHeld
		}
	}
	free <- struct{}{}
	defer func() { <-free }()
	defer recovered(&err)
	return ask()
}

// askTurn asks for the entries of one turn.
func (f *turns) askTurn(ctx context.Context, entries []asked, out *outgoing) error {
	if len(entries) == 1 {
		return f.ask(ctx, entries[0].rendering, entries[0].planned, out)
	}
	whole, release, err := f.versions.whole(ctx, entries[0].event.Tenant, entries[0].planned)
	if err != nil || whole.subscriber == nil {
		return err
	}
	defer release()
	return f.triggeredTogether(ctx, whole.subscriber, entries, out)
}

// triggeredTogether decides for events of one key, each upon those before it, and
// stores that at once. Then it sends, as far as was decided.
func (f *turns) triggeredTogether(ctx context.Context, s *subscriber, entries []asked, out *outgoing) error {
	all, changes := make([]*triggering, len(entries)), make([]*crowd.Change, len(entries))
	decisions, wrote := make([]trigger.Decision, len(entries)), make([]bool, len(entries))
	for i, entry := range entries {
		t, err := occurs(entry.rendering, s)
		if err != nil || t == nil { // it had its key when turns were made
			return errors.Join(err, crowd.ErrHeld)
		}
		all[i] = t
		changes[i] = &crowd.Change{Refs: t.occurrence.Refs(), Make: func(items []webhook.StateItem) (changes []webhook.StateItem, err error) {
			decisions[i], changes, err = t.occurrence.Decide(items, f.now(), t.ready)
			wrote[i] = len(changes) > 0
			return changes, err
		}}
	}
	f.crowds.ChangeInOrder(ctx, changes)
	for i, c := range changes {
		if c.Err != nil {
			return fmt.Errorf("trigger of %s: %w", s.ID, c.Err)
		}
		f.triggers.countDecision(all[i], decisions[i], wrote[i] || all[i].fresh, false)
		if err := f.triggers.follow(ctx, all[i], decisions[i], out); err != nil {
			return err
		}
	}
	return nil
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
