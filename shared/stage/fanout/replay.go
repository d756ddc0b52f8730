package fanout

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

// replays sends stored events again.
type replays struct{ *Fanout }

// replay sends a stored event again to whom it matches now. What was matched is
// stored under the replay's id before anything is sent, so that a repeat of the
// message sends the same deliveries.
func (f *replays) replay(ctx context.Context, v *view, r message.Replay, out *outgoing) error {
	e, err := f.Store.Event(ctx, r.Tenant, r.Source, r.Event)
	if errors.Is(err, webhook.ErrNotFound) || err == nil && e.Expunged {
		return nil // since it was asked for
	}
	if err != nil {
		return fmt.Errorf("read event %s of %s: %w", r.Event, r.Tenant, err)
	}
	if err := f.replayEvent(ctx, v, e, r, out); err != nil {
		return fmt.Errorf("replay %s of event %s of %s: %w", r.ID, r.Event, r.Tenant, err)
	}
	return nil
}

func (f *replays) replayEvent(ctx context.Context, v *view, e webhook.StoredEvent, r message.Replay, out *outgoing) error {
	decided, err := f.decideReplay(ctx, v, e, r)
	if err != nil {
		return err
	}
	if err := f.Store.KeepEvent(ctx, e.Tenant, e.Key(), f.now().Add(keepAhead)); err != nil {
		return fmt.Errorf("keep event: %w", err)
	}
	why := occasion{replay: r.ID, at: decided.At}
	if decided.Plan.Pages > 0 {
		return f.pages.send(ctx, e, decided.Plan, why, false, out)
	}
	a, err := f.carryOut(ctx, e, why, decided.Plan.Entries, out)
	if err != nil {
		return err
	}
	return f.askAll(ctx, a, out)
}

// decideReplay matches the event anew and stores whom, and when it was asked
// for. If this replay was decided before, that stands.
func (f *replays) decideReplay(ctx context.Context, v *view, e webhook.StoredEvent, r message.Replay) (webhook.Replay, error) {
	m, err := v.match(ctx, e.Event, f.now())
	if err != nil {
		return webhook.Replay{}, fmt.Errorf("match: %w", err)
	}
	entries, err := f.profiles.metNow(ctx, e.Event, m)
	if err != nil {
		return webhook.Replay{}, fmt.Errorf("match: %w", err)
	}
	entries = slices.DeleteFunc(entries, func(entry webhook.PlanEntry) bool {
		return entry.CancelsOnly || r.Subscription != "" && entry.Subscription != r.Subscription
	})
	for i := range entries {
		entries[i].Cancels = 0 // what it cancels, it has canceled
	}
	plan := webhook.Plan{Entries: entries, Total: len(entries)}
	if len(entries) > webhook.PlanInline {
		if plan, err = f.pages.store(ctx, e.Event, entries); err != nil {
			return webhook.Replay{}, fmt.Errorf("store plan: %w", err)
		}
	}
	stored, created, err := f.Store.CreateReplay(ctx, webhook.Replay{Tenant: e.Tenant, EventKey: e.Key(), ID: r.ID, At: r.At, Plan: plan})
	if err != nil {
		return webhook.Replay{}, fmt.Errorf("store: %w", err)
	}
	if created {
		f.Count("events_replayed", 1)
	}
	return stored, nil
}

// triggeredAgain sends again what the event's own occurrence led its trigger to
// send, and nothing else. The trigger's state stays as it is.
func (f *replays) triggeredAgain(ctx context.Context, r *rendering, p planned, out *outgoing) error {
	d, err := r.decoded()
	if err != nil {
		return err
	}
	o, reason := p.trigger.Occurrence(p.subscriber.Subscription, r.event, d)
	if reason != "" || p.trigger.Stale(r.event.Time, f.now()) {
		f.Count("events_skipped", 1)
		return nil
	}
	count, fired, err := o.Fired(ctx, f.Store)
	if err != nil {
		return fmt.Errorf("trigger of %s: %w", p.ID, err)
	}
	if !fired {
		if count, fired, err = f.failed(ctx, r, p.subscriber); err != nil {
			return err
		}
	}
	if !fired {
		f.Count("events_skipped", 1)
		return nil
	}
	_, err = f.deliver(ctx, r, p.subscriber, count, out)
	return err
}

// failed reports whether the trigger fired on the event, and nothing could be rendered
// then: its delivery was canceled, and nothing was claimed. It is also told after how
// many occurrences.
func (f *replays) failed(ctx context.Context, r *rendering, s *subscriber) (count int, fired bool, err error) {
	d, err := f.Store.Delivery(ctx, r.event.Tenant, webhook.DeliveryID(r.event.Tenant, r.event.Key(), r.event.AcceptedAt, s.ID, ""))
	if errors.Is(err, webhook.ErrNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("read what could not be rendered: %w", err)
	}
	return d.Count, d.Version >= s.Born && d.Status == webhook.Canceled && slices.Contains(unrendered, d.Reason), nil
}

// unrendered are the reasons for which nothing can be rendered.
var unrendered = []webhook.Reason{webhook.ReasonMissingField, webhook.ReasonMissingSecret, webhook.ReasonAbort, webhook.ReasonRenderError, webhook.ReasonTooLarge}
