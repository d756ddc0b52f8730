package fanout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// emission is the event that a subscriber makes when it fires; nil if it makes none,
// or if too many events led to it. The error is a [*render.Skip] if it cannot be made.
func (f *Fanout) emission(r *rendering, s *subscriber, count int) (*queue.Message, error) {
	if !s.Emits(webhook.EmitOnFire) {
		return nil, nil
	}
	if r.event.Depth >= webhook.MaxDepth {
		f.Count("chains_cut", 1)
		f.Log.Warn("chain cut", "tenant", r.event.Tenant, "subscription", s.ID, "event", r.event.ID, "depth", r.event.Depth)
		return nil, nil
	}
	id := r.delivery(s, count).ID
	e, err := s.request.Emit(r.view, s.Subscription, render.Occasion{Delivery: id, Count: count}, nil, f.now().UTC().Truncate(time.Millisecond))
	if err != nil {
		return nil, err
	}
	return &queue.Message{Group: e.Tenant, Body: message.Pack{Events: []webhook.Event{e}}.Encode()}, nil
}

// emit makes the event that follows from an event at a subscriber, if any. Making it
// twice does no harm: it has the same id. If nothing can be made of it, it cancels the
// delivery and returns why.
func (f *Fanout) emit(ctx context.Context, r *rendering, s *subscriber, count int, out *outgoing) (webhook.Reason, error) {
	m, err := f.emission(r, s, count)
	var skip *render.Skip
	switch {
	case errors.As(err, &skip):
		return skip.Reason, f.cancel(ctx, r, s, count, skip, out)
	case err != nil:
		return "", fmt.Errorf("emit of %s: %w", s.ID, err)
	case m == nil:
		return "", nil
	}
	f.Count("events_emitted", 1)
	return "", out.events.Add(ctx, *m)
}
