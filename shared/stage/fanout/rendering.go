package fanout

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// rendering makes the deliveries of one event on one occasion.
type rendering struct {
	event webhook.Event
	key   string
	occasion
	view    *render.Event
	decoded func() (*pattern.Event, error) // for triggers
}

// occasion is why an event is sent.
type occasion struct {
	replay string    // its id; "" when the event was published
	at     time.Time // when it was asked for, or the event accepted
	fresh  bool      // it is carried out for the first time, as far as we know
}

func published(e webhook.Event) occasion { return occasion{at: e.AcceptedAt} }

func newRendering(e webhook.Event, why occasion) *rendering {
	decoded := sync.OnceValues(func() (*pattern.Event, error) { return trigger.DecodeEvent(e) })
	return &rendering{e, e.Key(), why, render.NewEvent(e), decoded}
}

// firstAttempt is the message that asks for a subscription's first attempt, after so
// many occurrences. The error is a [*render.Skip] if there is to be none.
func (r *rendering) firstAttempt(s *subscriber, count int) (queue.Message, error) {
	f := r.delivery(s, count)
	target, content, err := s.request.Render(r.view, s.Subscription, render.Occasion{Delivery: f.ID, Count: count})
	if err != nil {
		return queue.Message{}, err
	}
	f.Target, f.Method, f.ContentType = target, content.Method, content.ContentType
	f.Inserts, f.Body = content.Body.Inserts, content.Body.Plain
	return queue.Message{Group: message.SubscriptionGroup(f.Tenant, f.Subscription), Body: f.Encode()}, nil
}

func (r *rendering) delivery(s *subscriber, count int) message.FirstAttempt {
	id := webhook.DeliveryID(r.event.Tenant, r.key, r.at, s.ID, r.replay)
	if s.group != 0 {
		id = r.event.DeliveryID(webhook.PlanEntry{Subscription: s.ID, Group: s.group})
	}
	return message.FirstAttempt{
		Tenant:       r.event.Tenant,
		ID:           id,
		Event:        r.event.ID,
		Source:       r.event.Source,
		Type:         r.event.Type,
		Created:      r.at,
		Subscription: s.ID,
		Version:      s.Version,
		Occasion:     r.replay,
		Count:        count,
	}
}

// cancel stores the delivery that is not to be, with its reason, and tells of
// it. That it is stored already means that this was done before, perhaps up to
// there.
func (f *Fanout) cancel(ctx context.Context, r *rendering, s *subscriber, count int, why *render.Skip, out *outgoing) error {
	t := lifecycle.Cancel(lifecycle.Begin(r.delivery(s, count).Delivery()), why.Reason, why.Kept(), f.now())
	life := lifecycle.Executor{
		Store:    f.Store,
		Counter:  lifecycle.Counter{Count: f.Count, Stats: f.Ended},
		Announce: func(ctx context.Context, d webhook.Delivery) error { return f.announce(ctx, r, s, d, out) },
	}
	if _, err := life.Save(ctx, t); err != nil && !errors.Is(err, webhook.ErrConflict) {
		return err
	}
	return life.CarryOut(ctx, t.Next, t.Effects)
}
