package message

import (
	"encoding/binary"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// FirstAttempt asks for a delivery's first attempt. It carries the request rendered
// with Version; if that is still the subscription's, nothing need be read.
type FirstAttempt struct {
	Tenant       string
	ID           string
	Event        string
	Source       string
	Type         string    // of the event
	Created      time.Time // see webhook.Delivery's CreatedAt
	Subscription string
	Version      int64
	Occasion     string
	Count        int
	Target       webhook.Target
	Method       string
	ContentType  string
	Inserts      []webhook.Insert // into the body
	Body         string
}

// Encode writes the request for a first attempt as a message body.
func (f FirstAttempt) Encode() []byte {
	b := make([]byte, 1, 320+len(f.Body)+len(f.Target.URL.Plain))
	b[0] = byte(KindFirstAttempt)
	for _, text := range []string{f.Tenant, f.ID, f.Event, f.Source, f.Type, f.Subscription, f.Occasion, f.Method, f.ContentType, f.Target.URL.Plain} {
		b = appendText(b, text)
	}
	b = appendTime(b, f.Created)
	b = binary.AppendVarint(binary.AppendVarint(b, f.Version), int64(f.Count))
	b = appendJSON(b, f.Inserts, len(f.Inserts) == 0)
	b = appendJSON(b, f.Target.URL.Inserts, len(f.Target.URL.Inserts) == 0)
	b = appendJSON(b, f.Target.Headers, len(f.Target.Headers) == 0)
	return append(b, f.Body...)
}

// GroupOf returns the group of the delivery that a message asks the first attempt
// of; 0 if it has none.
func GroupOf(body []byte) webhook.Group {
	if KindOf(body) != KindFirstAttempt {
		return 0
	}
	r := fields{rest: body[1:]}
	r.text() // the tenant
	return webhook.GroupOf(r.text())
}

// TenantOf returns the tenant whose first attempt a message asks for; "" if it
// asks for something else.
func TenantOf(body []byte) string {
	if KindOf(body) != KindFirstAttempt {
		return ""
	}
	r := fields{rest: body[1:]}
	return r.text()
}

// Ref names the subscription that it is for.
func (f FirstAttempt) Ref() webhook.SubscriptionRef {
	return webhook.SubscriptionRef{Tenant: f.Tenant, ID: f.Subscription}
}

// decodeFirstAttempt reads what [FirstAttempt.Encode] wrote.
func decodeFirstAttempt(body []byte) (f FirstAttempt, err error) {
	r := fields{rest: body[1:]}
	for _, text := range []*string{&f.Tenant, &f.ID, &f.Event, &f.Source, &f.Type, &f.Subscription, &f.Occasion, &f.Method, &f.ContentType, &f.Target.URL.Plain} {
		*text = r.text()
	}
	f.Created = r.time()
	f.Version, f.Count = r.number(), int(r.number())
	r.json(&f.Inserts)
	r.json(&f.Target.URL.Inserts)
	r.json(&f.Target.Headers)
	f.Body = string(r.rest)
	return f, r.err
}

// Delivery is what the message knows of the delivery.
func (f FirstAttempt) Delivery() webhook.Delivery {
	return webhook.Delivery{
		Tenant: f.Tenant, ID: f.ID, EventID: f.Event, EventSource: f.Source, EventType: f.Type,
		Subscription: f.Subscription, Version: f.Version, Occasion: f.Occasion, Count: f.Count, CreatedAt: f.Created,
	}
}

// Content is the part of the request that stays for all attempts.
func (f FirstAttempt) Content() webhook.Content {
	return webhook.Content{Method: f.Method, ContentType: f.ContentType, Body: webhook.Text{Plain: f.Body, Inserts: f.Inserts}}
}
