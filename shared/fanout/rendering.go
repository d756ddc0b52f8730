package fanout

import (
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/render"
	"github.com/postino/postino/shared/webhook"
)

// rendering makes the deliveries of one event.
type rendering struct {
	event webhook.Event
	key   string
}

// first is the message that asks for a subscription's first attempt.
func (r *rendering) first(s webhook.Subscription) queue.Message {
	c := render.Content(r.event, s)
	f := message.First{
		Tenant:       r.event.Tenant,
		ID:           webhook.DeliveryID(r.event.Tenant, r.key, r.event.AcceptedAt, s.ID, ""),
		Event:        r.event.ID,
		Source:       r.event.Source,
		Accepted:     r.event.AcceptedAt,
		Subscription: s.ID,
		Version:      s.Version,
		Target:       render.Target(r.event, s),
		Method:       c.Method,
		ContentType:  c.ContentType,
		Inserts:      c.Body.Inserts,
		Body:         c.Body.Plain,
	}
	return queue.Message{Group: message.SubscriptionGroup(f.Tenant, f.Subscription), Body: f.Encode()}
}
