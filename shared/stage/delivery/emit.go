package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/callback/courier"
	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/callback/sendable"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// emit publishes the event that follows from a callback that succeeded, if its
// subscription makes one. That is done before the success is recorded: who dies in
// between posts again, and makes the same event again, which fan-out drops.
func (d *attempts) emit(ctx context.Context, del webhook.Delivery, sub *courier.Subscriber, r courier.Answer) error {
	if r.Outcome != retry.Success || !sub.Emits(webhook.EmitOnSuccess) || d.Events == nil {
		return nil
	}
	view, err := d.making.Event(ctx, del)
	var skip *render.Skip
	if errors.As(err, &skip) {
		return nil // its event was expunged: nothing may follow from it
	}
	if err != nil {
		return err
	}
	if view.Depth() >= webhook.MaxDepth {
		d.Count("chains_cut", 1)
		d.Log.Warn("chain cut", "tenant", del.Tenant, "subscription", sub.ID, "event", del.EventID, "depth", view.Depth())
		return nil
	}
	request, err := sub.Compiled()
	if err != nil {
		return fmt.Errorf("prepare subscription %s: %w", sub.ID, err)
	}
	response := &render.Response{Status: r.Attempt.StatusCode, Headers: r.Attempt.Response.Headers, Body: r.Said}
	e, err := request.Emit(view, sub.Subscription, sendable.Occasion(del), response, d.Now().UTC().Truncate(time.Millisecond))
	if errors.As(err, &skip) {
		d.Count("emits_failed", 1)
		d.Log.Warn("no event could be made of a callback that succeeded", "tenant", del.Tenant, "subscription", sub.ID, "delivery", del.ID, "reason", string(skip.Reason), "detail", skip.Kept())
		return nil
	}
	if err != nil {
		return fmt.Errorf("emit of %s: %w", sub.ID, err)
	}
	if err := d.Events.Send(ctx, []queue.Message{{Group: e.Tenant, Body: message.Pack{Events: []webhook.Event{e}}.Encode()}}); err != nil {
		return fmt.Errorf("publish what %s emits: %w", sub.ID, err)
	}
	d.Count("events_emitted", 1)
	return nil
}
