package fanout

import (
	"context"
	"fmt"
	"time"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/store/crowd"
	"github.com/postino/postino/shared/webhook"
)

// timers wakes what waits for a delay, and fires it.
type timers struct{ *Fanout }

// keepAhead is how far a timer may lie ahead before its event is told not to
// expire meanwhile.
const keepAhead = 14 * 24 * time.Hour

// keptAnyway is how long after its acceptance an event certainly has its data.
func (f *timers) keptAnyway() time.Duration {
	const slack = time.Hour // for a timer that comes late
	if f.Retention.Payload > 0 {
		return min(keepAhead, f.Retention.Payload-slack)
	}
	return keepAhead
}

// wake arranges that a start's timer is looked at when it is due: by a delayed
// message, or, beyond what a queue can delay, by a due pointer that sweep turns
// into one. Every start arranges its own wake-up, whichever fires in the end.
func (f *timers) wake(ctx context.Context, t *triggering, due time.Time, out *outgoing) error {
	timer, mark := t.occurrence.Timer()
	fire := message.Fire{Tenant: timer.Tenant, Subscription: timer.Subscription, Epoch: timer.Epoch, Key: timer.Key, Mark: mark}
	ahead := due.Sub(f.now())
	if ahead <= queue.MaxDelay {
		return out.events.Add(ctx, queue.Message{Group: timer.Tenant, Body: fire.Encode(), Delay: max(0, ahead)})
	}
	if due.Sub(t.event.AcceptedAt) > f.keptAnyway() {
		if err := f.Store.KeepEvent(ctx, timer.Tenant, t.key, due.Add(keepAhead)); err != nil {
			return fmt.Errorf("keep event: %w", err)
		}
	}
	if err := f.Store.PutDue(ctx, fire.Due(due)); err != nil {
		return fmt.Errorf("arrange wake-up: %w", err)
	}
	return nil
}

// maxFirings bounds what one wake-up fires; as many starts may wait for one
// key at most.
const maxFirings = 64

// fire handles a timer's wake-up: whatever is due by now fires, in order. Then
// the start that the wake-up was for is looked at, in case that it fired before
// and died before it was sent.
func (f *timers) fire(ctx context.Context, wake message.Fire, out *outgoing) error {
	if err := f.fireDue(ctx, wake, out); err != nil {
		return fmt.Errorf("timer of %s of %s: %w", wake.Subscription, wake.Tenant, err)
	}
	return nil
}

func (f *timers) fireDue(ctx context.Context, wake message.Fire, out *outgoing) error {
	own := false // the wake-up's own start fired here and now
	for range maxFirings {
		items, err := f.Store.TriggerState(ctx, trigger.WakeRefs(timerOf(wake), wake.Mark))
		if err != nil {
			return fmt.Errorf("read state: %w", err)
		}
		next, due, err := trigger.Next(items[0])
		if err != nil {
			return err
		}
		if next != "" && !due.After(f.now()) {
			fires, err := f.fireNext(ctx, wake, next, out)
			if err != nil {
				return err
			}
			own = own || fires && next == wake.Mark
			continue
		}
		if own {
			return nil
		}
		return f.review(ctx, wake, items[1], due, out)
	}
	return crowd.ErrContended
}

func timerOf(wake message.Fire) webhook.StateRef {
	return webhook.StateRef{Tenant: wake.Tenant, Subscription: wake.Subscription, Epoch: wake.Epoch, Key: wake.Key}
}

// fireNext fires the start with that mark, or drops it if nothing can be made
// of it any more. It is false if the start did not wait any more.
func (f *timers) fireNext(ctx context.Context, wake message.Fire, mark string, out *outgoing) (fires bool, err error) {
	refs := trigger.WakeRefs(timerOf(wake), mark)
	items, err := f.Store.TriggerState(ctx, refs)
	if err != nil {
		return false, fmt.Errorf("read state: %w", err)
	}
	t, err := f.started(ctx, wake, items[1], out)
	if err != nil {
		return false, err
	}
	if t == nil {
		f.Log.Warn("start of a delay dropped: its event or subscription is gone", "tenant", wake.Tenant, "subscription", wake.Subscription)
		return false, f.lapse(ctx, wake, refs[0], func(item webhook.StateItem) (*webhook.StateItem, error) {
			return trigger.DropNext(item, mark, f.now())
		})
	}
	decision, wrote, err := f.triggers.decideOnState(ctx, t, func(items []webhook.StateItem) (d trigger.Decision, changes []webhook.StateItem, err error) {
		d, changes, fires, err = t.occurrence.Fire(items, f.now(), t.ready)
		return d, changes, err
	})
	if err != nil || !fires {
		return false, err
	}
	f.triggers.countDecision(t, decision, wrote, true)
	return true, f.triggers.follow(ctx, t, decision, out)
}

// lapse ends a wait of which nothing can be made any more, and counts that for the
// subscription's campaign.
func (f *timers) lapse(ctx context.Context, wake message.Fire, ref webhook.StateRef, drop func(webhook.StateItem) (*webhook.StateItem, error)) error {
	dropped := false
	err := f.crowds.Change(ctx, []webhook.StateRef{ref}, func(items []webhook.StateItem) ([]webhook.StateItem, error) {
		changed, err := drop(items[0])
		if dropped = changed != nil; !dropped {
			return nil, err
		}
		return []webhook.StateItem{*changed}, err
	})
	if err != nil || !dropped || f.Results == nil {
		return err
	}
	heads, err := f.Store.Heads(ctx, []webhook.SubscriptionRef{{Tenant: wake.Tenant, ID: wake.Subscription}})
	if err != nil {
		return fmt.Errorf("read subscription: %w", err)
	}
	if of := heads[0]; of.Campaign != "" {
		f.Results.Count(of.Tenant, of.Campaign, of.ID, "", webhook.ResultWaiting, -1)
		f.Results.Count(of.Tenant, of.Campaign, of.ID, "", webhook.ResultSkipped+string(webhook.ReasonExpired), 1)
	}
	return nil
}

// review does what was decided for the wake-up's own start and perhaps not
// done, or waits on if the wake-up came too early.
func (f *timers) review(ctx context.Context, wake message.Fire, mark webhook.StateItem, next time.Time, out *outgoing) error {
	t, err := f.started(ctx, wake, mark, out)
	if err == nil && t == nil {
		return f.lapse(ctx, wake, mark.StateRef, func(item webhook.StateItem) (*webhook.StateItem, error) {
			return trigger.DropQuiet(item, f.now())
		})
	}
	if err != nil {
		return err
	}
	items, err := f.Store.TriggerState(ctx, t.occurrence.Refs())
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	decision, decided, err := t.occurrence.Decided(items)
	if err != nil || !decided {
		return err
	}
	if decision.Quiet && !decision.Due.After(f.now()) {
		return f.quietOver(ctx, t, out)
	}
	if decision.Quiet {
		return f.triggers.follow(ctx, t, decision, out)
	}
	if decision.Do == trigger.Wait && next.After(decision.Due) {
		decision.Due = next // one that waits longer comes first
	}
	return f.triggers.follow(ctx, t, decision, out)
}

// quietOver decides for an event that has waited until quiet hours are over. If
// somebody else was faster, that stands.
func (f *timers) quietOver(ctx context.Context, t *triggering, out *outgoing) error {
	wakes := false
	decision, wrote, err := f.triggers.decideOnState(ctx, t, func(items []webhook.StateItem) (d trigger.Decision, changes []webhook.StateItem, err error) {
		if d, changes, wakes, err = t.occurrence.Wake(items, f.now(), t.ready); err == nil && !wakes {
			d, _, err = t.occurrence.Decided(items)
		}
		return d, changes, err
	})
	if err != nil {
		return err
	}
	f.triggers.countDecision(t, decision, wrote, true)
	return f.triggers.follow(ctx, t, decision, out)
}
