package trigger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Canceling is what an event would cancel of one key.
type Canceling struct {
	Key     string  // as [Spec.KeyRef] reads it
	Fired   []Start // whose deliveries would end if they are held; of the latest that fired, oldest first
	Waiting []Start // whose delays would come to nothing; the first would fire next
}

// Start is an event whose delay runs, or is over.
type Start struct {
	Event    string // its id
	Delivery string // the id of the delivery that it leads to
	Time     time.Time
	Due      time.Time
}

// Cancels tells what the event would cancel if it were handled now, by key.
// Nothing is written.
func (s *Spec) Cancels(ctx context.Context, r Reader, a Asked, now time.Time) ([]Canceling, error) {
	keys, refs := s.cancelKeys(a.Decoded, a.Cancels), s.CancelRefs(a.Subscription, a.Decoded, a.Cancels)
	if len(refs) == 0 {
		return nil, nil
	}
	items, err := r.TriggerState(ctx, refs)
	if err != nil {
		return nil, fmt.Errorf("read trigger state: %w", err)
	}
	list := make([]Canceling, len(keys))
	for i, item := range live(items, now) {
		var p part[timer]
		if err := p.decode(item); err != nil {
			return nil, err
		}
		before := p.value
		after, _ := before.canceled(positionOf(a.Event), a.Event.Key())
		ends := func(s start) bool { return after.Canceled.cancels(s) && !before.Canceled.cancels(s) }
		list[i] = Canceling{keyText(keys[i]), startsOf(a.Subscription, before.Fired, ends), startsOf(a.Subscription, before.Pending, ends)}
	}
	return list, nil
}

// startsOf returns the starts that end, as others see them.
func startsOf(sub webhook.Subscription, all []start, ends func(start) bool) (list []Start) {
	for _, s := range all {
		if ends(s) {
			id := webhook.DeliveryID(sub.Tenant, s.Event, time.UnixMicro(s.Accepted), sub.ID, "")
			list = append(list, Start{s.ID, id, s.Time, s.Due})
		}
	}
	return list
}

// afterCancels returns the parts as they are once the event has canceled what
// it cancels.
func (s *Spec) afterCancels(items []webhook.StateItem, a Asked, now time.Time) ([]webhook.StateItem, error) {
	refs, items := s.CancelRefs(a.Subscription, a.Decoded, a.Cancels), slices.Clone(items)
	for i, item := range items {
		if !slices.Contains(refs, item.StateRef) {
			continue
		}
		changed, err := CancelBy(item, a.Event, now)
		if err != nil {
			return nil, err
		}
		if changed != nil {
			items[i], items[i].Rev = *changed, item.Rev+1
		}
	}
	return items, nil
}
