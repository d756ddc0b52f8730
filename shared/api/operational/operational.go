// Package operational makes the events that Postino publishes about itself:
// about failing deliveries, and about subscriptions that were disabled or
// recovered.
//
// They are ordinary events, published in the tenant that they are about and in
// Postino's own. Each has an id that is a pure function of what it tells, so
// whoever must say it again after a crash says the same, and fan-out drops it.
// A delivery of such an event never leads to another: see [OfDelivery].
package operational

import (
	"crypto/rand"
	"encoding/json"
	"strconv"
	"time"

	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// Tenant is Postino's own, where the events of all tenants are published too.
const Tenant = "postino"

// Source is the source of operational events, which no publisher may use.
const Source = attribute.OwnSource

// The types of operational events.
const (
	DeliveryFailing       = attribute.OwnTypes + "delivery.failing"
	DeliveryExhausted     = attribute.OwnTypes + "delivery.exhausted"
	DeliveryCanceled      = attribute.OwnTypes + "delivery.canceled"
	SubscriptionDisabled  = attribute.OwnTypes + "subscription.disabled"
	SubscriptionRecovered = attribute.OwnTypes + "subscription.recovered"
)

// failures is the number of failed attempts of one round at which a delivery is
// said to be failing, if it goes on.
const failures = 4

// unwanted are the reasons of a cancellation that nobody wished for: the
// subscription is to be mended. The others are its owner's own decisions.
var unwanted = map[webhook.Reason]bool{
	webhook.ReasonRenderError:   true,
	webhook.ReasonTooLarge:      true,
	webhook.ReasonMissingSecret: true,
}

// OfDelivery returns the type of the event that a delivery, as it is stored,
// calls for; "" if for none. Deliveries of operational events call for none.
func OfDelivery(d webhook.Delivery) string {
	switch {
	case d.EventSource == Source:
		return ""
	case d.Status == webhook.Exhausted:
		return DeliveryExhausted
	case d.Status == webhook.Canceled && unwanted[d.Reason]:
		return DeliveryCanceled
	case d.Status == webhook.Pending && d.Waiting == webhook.WaitRetry && d.Step == failures:
		return DeliveryFailing
	}
	return ""
}

// Delivery returns the messages, for the events queue, that publish an event of
// that type about a delivery. Once in a round there is one of each type. Of the
// subscription no more than its name and host is told; of the event, its type.
func Delivery(typ string, d webhook.Delivery, s webhook.Subscription, eventType string, now time.Time) []queue.Message {
	happened := d.EndedAt
	if happened.IsZero() && d.Last != nil {
		happened = d.Last.StartedAt
	}
	return publish(webhook.Event{
		Tenant: d.Tenant, ID: id(typ, d.Tenant, d.ID, strconv.Itoa(d.Round)), Type: typ, Subject: d.Subscription, Time: happened,
		Data: encode(deliveryData{
			Tenant:       d.Tenant,
			Subscription: subscriptionOf(d.Subscription, s),
			Event:        eventData{d.EventID, d.EventSource, eventType},
			Delivery: deliveryFacts{
				ID: d.ID, Status: d.Status, Reason: orNull(string(d.Reason)), Round: d.Round, Attempts: d.Attempts,
				CreatedAt: moment(d.CreatedAt), NextAttemptAt: moment(d.NextAt),
			},
			Attempt: attemptOf(d.Last),
		}),
	}, now)
}

// Subscription returns the messages that publish an event of that type about a
// subscription. Each time that it was disabled (s.DisabledAt) has one of each.
func Subscription(typ string, s webhook.Subscription, now time.Time) []queue.Message {
	happened := s.UpdatedAt
	if typ == SubscriptionDisabled {
		happened = s.DisabledAt
	}
	return publish(webhook.Event{
		Tenant: s.Tenant, ID: id(typ, s.Tenant, s.ID, strconv.FormatInt(s.DisabledAt.UnixMilli(), 10)),
		Type: typ, Subject: s.ID, Time: happened,
		Data: encode(subscriptionData{
			Tenant: s.Tenant, Subscription: subscriptionOf(s.ID, s), State: s.State,
			Reason: orNull(s.DisabledReason), DisabledAt: moment(s.DisabledAt),
		}),
	}, now)
}

func id(parts ...string) string {
	return "evt_" + webhook.Hash(16, append([]string{"operational"}, parts...)...)
}

// publish packs the event for its tenant and for Postino's own.
func publish(e webhook.Event, now time.Time) []queue.Message {
	e.Source, e.Nonce, e.AcceptedAt = Source, rand.Text(), now.UTC().Truncate(time.Millisecond)
	if e.Time.IsZero() {
		e.Time = e.AcceptedAt
	}
	messages := []queue.Message{packed(e)}
	if e.Tenant != Tenant {
		e.Tenant, e.Nonce = Tenant, rand.Text()
		messages = append(messages, packed(e))
	}
	return messages
}

func packed(e webhook.Event) queue.Message {
	return queue.Message{Group: e.Tenant, Body: message.Pack{Events: []webhook.Event{e}}.Encode()}
}

func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic("operational: " + err.Error()) // structs of strings and numbers
	}
	return b
}
