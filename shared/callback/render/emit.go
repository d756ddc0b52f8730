package render

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/language/liquid"
	"github.com/postino/postino/shared/webhook"
)

// Response is what a subscriber answered, as an emission sees it.
type Response struct {
	Status  int
	Headers map[string]string
	Body    string // JSON, or else text; valid UTF-8
}

// MaxEmitted is how much of a response's body an emission sees, in bytes.
const MaxEmitted = 4 << 10

// responseRoot is the variable with the response.
const responseRoot = "response"

// emission makes an event of another.
type emission struct {
	data    body             // nil is the data of the other
	subject *liquid.Template // nil is its subject
}

// emit compiles what a subscription emits. Secrets have no place in events.
func (c *compiler) emit(s webhook.Subscription) *emission {
	if s.Emit == nil {
		return nil
	}
	c.emitting, c.responds = true, s.Emit.On == webhook.EmitOnSuccess
	defer func() { c.emitting, c.responds = false, false }()
	e := &emission{}
	if s.Emit.Data != nil {
		tree, err := liquid.Decode(s.Emit.Data)
		if err != nil {
			c.fault("emit.data", "%v", err)
			return e
		}
		e.data = c.tree("emit.data", tree)
	}
	if s.Emit.Subject != "" {
		e.subject = c.parse("emit.subject", s.Emit.Subject)
	}
	return e
}

// Emit makes the event that follows from another at a subscription. The response is
// nil if there is none yet. The error is a [*Skip] if no event can be made.
func (r *Request) Emit(e *Event, s webhook.Subscription, o Occasion, response *Response, now time.Time) (webhook.Event, error) {
	from := e.event
	next := webhook.Event{
		Tenant: from.Tenant, ID: webhook.EmittedID(from, s.ID), Source: webhook.EmittedSource(from.Tenant, s.ID), Type: s.Emit.Type,
		Subject: from.Subject, Time: now, AcceptedAt: now, Data: from.Data, Depth: from.Depth + 1, Nonce: rand.Text(),
	}
	if r.emission.data == nil && r.emission.subject == nil {
		return next, nil
	}
	sc, err := newScope(e, s, o)
	if err != nil {
		return next, err
	}
	if response != nil {
		sc.Vars[responseRoot] = response.value()
	}
	if r.emission.data != nil {
		text, err := r.emission.data.render(sc)
		if err != nil {
			return next, in("emit.data", err)
		}
		next.Data = json.RawMessage(text.Plain)
	}
	if len(next.Data) > webhook.MaxEventSize {
		return next, &Skip{Reason: webhook.ReasonTooLarge, Detail: fmt.Sprintf("emit.data has %d bytes, want at most %d", len(next.Data), webhook.MaxEventSize)}
	}
	if r.emission.subject != nil {
		text, err := sc.render(r.emission.subject, nil, func([]byte) string { return "" })
		if err != nil {
			return next, in("emit.subject", err)
		}
		if next.Subject = strings.TrimSpace(text.Plain); next.Subject != "" && attribute.Subject(next.Subject) != "" {
			return next, &Skip{Reason: webhook.ReasonRenderError, Detail: "emit.subject: " + attribute.Subject(next.Subject)}
		}
	}
	return next, nil
}

// value is the response as templates see it.
func (r *Response) value() liquid.Value {
	body, err := liquid.Decode([]byte(r.Body))
	if err != nil {
		body = liquid.String(r.Body)
	}
	headers := make([]liquid.Member, 0, len(r.Headers))
	for name, value := range r.Headers {
		headers = append(headers, liquid.Member{Name: name, Value: liquid.String(value)})
	}
	return liquid.Object(
		liquid.Member{Name: "status", Value: liquid.Int(int64(r.Status))},
		liquid.Member{Name: "headers", Value: liquid.Object(headers...)},
		liquid.Member{Name: "body", Value: body},
	)
}
