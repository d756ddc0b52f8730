package manage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/people/campaign"
	"github.com/postino/postino/shared/webhook"
)

// skippedView is a subscription that matched an event and whose trigger made
// nothing of it.
type skippedView struct {
	Subscription string         `json:"subscription"`
	Reason       webhook.Reason `json:"reason"`
	Detail       string         `json:"detail,omitempty"` // what the reason means, if a campaign or quiet hours have it
	Until        *httpapi.Time  `json:"until,omitempty"`  // when once_per or cap has room again
}

// outcomes sorts out the deliveries of an event that are not stored: those
// that wait for their trigger's delay say so, and those that its trigger
// skipped are taken out of the list. Without a trigger they stay pending, and
// so do those behind the first most. Of an expunged event none is still to come.
func (h *plans) outcomes(ctx context.Context, e webhook.StoredEvent, deliveries []webhook.Delivery, most int) (kept []webhook.Delivery, skipped []skippedView, err error) {
	decoded, err := trigger.DecodeEvent(e.Event)
	if err != nil {
		return nil, nil, fmt.Errorf("read event %s: %w", e.ID, err)
	}
	skipped = []skippedView{}
	rules := h.rulesOf(ctx, e.Tenant)
	for i, d := range deliveries {
		if e.Expunged && d.Rev == 0 {
			if len(skipped) < most {
				skipped = append(skipped, skippedView{d.Subscription, webhook.ReasonExpired, "", nil})
			}
			continue
		}
		if d.Rev > 0 || i >= most {
			kept = append(kept, d)
			continue
		}
		why, err := h.outcome(ctx, e, decoded, &d, rules)
		if err != nil {
			return nil, nil, err
		}
		if why.Reason != "" {
			skipped = append(skipped, skippedView{d.Subscription, why.Reason, asWords(why), h.until(why)})
			continue
		}
		kept = append(kept, d)
	}
	return kept, skipped, nil
}

// until is when the trigger that said no has room again; nil if it has, or if
// that is not a matter of time.
func (h *plans) until(d trigger.Decision) *httpapi.Time {
	if !d.Until.After(h.now()) {
		return nil
	}
	until := httpapi.Time(d.Until)
	return &until
}

// outcome returns why the trigger skipped the event; no reason if it did not,
// with what the delivery waits for noted in it.
func (h *plans) outcome(ctx context.Context, e webhook.StoredEvent, decoded *pattern.Event, d *webhook.Delivery, rules func(webhook.Subscription) (*trigger.Spec, *campaign.Campaign, error)) (why trigger.Decision, err error) {
	subs, err := h.Store.Versions(ctx, []webhook.VersionRef{{Tenant: e.Tenant, ID: d.Subscription, Version: d.Version}})
	if errors.Is(err, webhook.ErrNotFound) {
		return trigger.Decision{Reason: webhook.ReasonDeleted}, nil // it went with its subscription, and nothing will come of it
	}
	if err != nil {
		return why, fmt.Errorf("read subscription %s: %w", d.Subscription, err)
	}
	spec, _, err := rules(subs[0])
	if err != nil || spec == nil && subs[0].Calls() {
		return why, err
	}
	if spec == nil {
		return trigger.Decision{Reason: emitted(e)}, nil
	}
	decision, known, err := spec.Outcome(ctx, h.Store, subs[0], e.Event, decoded)
	if err == nil && known && decision.Do == trigger.Send && !subs[0].Calls() {
		return trigger.Decision{Reason: emitted(e), Count: decision.Count}, nil
	}
	if err != nil || !known || decision.Do == trigger.Send {
		return why, err
	}
	if decision.Do != trigger.Wait {
		return decision, nil
	}
	if decision.Quiet {
		*d = lifecycle.Delayed(*d, webhook.WaitQuiet, decision.Due)
		return why, nil
	}
	occurrence, _ := spec.Occurrence(subs[0], e.Event, decoded)
	view, _, err := trigger.ReadView(ctx, h.Store, occurrence.Key())
	if err != nil {
		return why, fmt.Errorf("read timer of %s: %w", d.Subscription, err)
	}
	if view.Timer != nil {
		for _, w := range view.Timer.Waiting {
			if w.Event == e.ID && time.Time(w.Time).Equal(e.Time) {
				*d = lifecycle.Delayed(*d, webhook.WaitTimer, time.Time(w.Due))
				return why, nil
			}
		}
	}
	return trigger.Decision{Reason: webhook.ReasonCanceledBy}, nil
}

// emitted is what becomes of an event at a subscription without a url that fires: it
// makes an event, unless too many have followed from each other.
func emitted(e webhook.StoredEvent) webhook.Reason {
	if e.Depth >= webhook.MaxDepth {
		return webhook.ReasonDepth
	}
	return webhook.ReasonEmitted
}
