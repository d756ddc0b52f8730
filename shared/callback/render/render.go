// Package render makes a subscriber's request from an event: url, headers and
// body, by the subscription's templates.
package render

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/postino/postino/shared/webhook"
)

// Content types of the bodies that need no template.
const (
	JSON       = "application/json"
	CloudEvent = "application/cloudevents+json"
)

// Render renders all of a delivery. The error is a [*Skip] if event and
// request make none.
func (r *Request) Render(e *Event, s webhook.Subscription, o Occasion) (webhook.Target, webhook.Content, error) {
	sc, err := r.scope(e, s, o)
	if err != nil {
		return webhook.Target{}, webhook.Content{}, err
	}
	for _, p := range r.require {
		if p.of(sc.Vars).Empty() {
			return webhook.Target{}, webhook.Content{}, &Skip{Reason: webhook.ReasonMissingField, Detail: strings.Join(p, ".") + " is missing or empty"}
		}
	}
	target, err := r.target(e, sc, o)
	if err != nil {
		return target, webhook.Content{}, err
	}
	content, err := r.content(e, sc)
	return target, content, err
}

// Target renders only where a delivery goes and with which headers: what each
// attempt takes from the subscription as it is then.
func (r *Request) Target(e *Event, s webhook.Subscription, o Occasion) (webhook.Target, error) {
	sc, err := r.scope(e, s, o)
	if err != nil {
		return webhook.Target{}, err
	}
	return r.target(e, sc, o)
}

// scope is what the request's templates see; nil if it looks at nothing.
func (r *Request) scope(e *Event, s webhook.Subscription, o Occasion) (*scope, error) {
	if r.url.Constant() && len(r.headers) == 0 && r.body == nil && len(r.require) == 0 {
		return nil, nil
	}
	return newScope(e, s, o)
}

func (r *Request) target(e *Event, s *scope, o Occasion) (t webhook.Target, err error) {
	if r.url.Constant() && len(r.headers) == 0 {
		return webhook.Target{URL: webhook.Text{Plain: r.url.Source()}}, nil
	}
	if r.attempt {
		defer s.attempting(e.event, o)()
	}
	if t.URL, err = r.renderURL(s); err != nil {
		return t, in("url", err)
	}
	t.Headers, err = r.renderHeaders(s)
	return t, err
}

func (r *Request) content(e *Event, s *scope) (webhook.Content, error) {
	c := webhook.Content{Method: r.method, ContentType: r.contentType}
	switch {
	case r.body != nil:
		var err error
		if c.Body, err = r.body.render(s); err != nil {
			return c, in("body", err)
		}
	case r.format == "cloudevents":
		c.Body.Plain = e.cloud.get(e.event, cloudEvent)
	default:
		c.Body.Plain = e.standard.get(e.event, standard)
	}
	if len(c.Body.Plain) > webhook.MaxBodySize+envelopeRoom {
		return c, &Skip{Reason: webhook.ReasonTooLarge, Detail: fmt.Sprintf("body has %d bytes, want at most %d", len(c.Body.Plain), webhook.MaxBodySize)}
	}
	if r.body != nil {
		if err := wellFormed(r.kind, c.Body.Plain); err != nil {
			return c, &Skip{Reason: webhook.ReasonRenderError, Detail: "body: what was rendered " + err.Error(), public: "body: what was rendered " + r.kind.public(err)}
		}
	}
	return c, nil
}

// envelopeRoom is what the built-in bodies add to an event of the largest
// size, so that each event that was accepted can be sent.
const envelopeRoom = 4 << 10

// standard is the Standard Webhooks payload, the data as it was published.
func standard(e webhook.Event) []byte {
	b := make([]byte, 0, 160+len(e.Data))
	b = append(b, '{')
	b = appendMember(b, "id", e.ID)
	b = appendMember(b, "type", e.Type)
	b = appendMember(b, "timestamp", webhook.FormatTime(e.Time))
	if e.Subject != "" {
		b = appendMember(b, "subject", e.Subject)
	}
	b = append(b, `,"data":`...)
	if e.Data == nil {
		b = append(b, "null"...)
	}
	b = append(b, e.Data...)
	return append(b, '}')
}

// cloudEvent is the event in CloudEvents 1.0 structured mode.
func cloudEvent(e webhook.Event) []byte {
	b := make([]byte, 0, 256+len(e.Data)+len(e.Extensions))
	b = append(b, '{')
	b = appendMember(b, "specversion", "1.0")
	b = appendMember(b, "id", e.ID)
	b = appendMember(b, "source", e.Source)
	b = appendMember(b, "type", e.Type)
	b = appendMember(b, "time", webhook.FormatTime(e.Time))
	if e.Subject != "" {
		b = appendMember(b, "subject", e.Subject)
	}
	if inner := members(e.Extensions); len(inner) > 0 {
		b = append(append(b, ','), inner...)
	}
	if e.Data != nil {
		if !bytes.Contains(e.Extensions, []byte(`"datacontenttype":`)) { // no text within a value can look like that
			b = appendMember(b, "datacontenttype", JSON)
		}
		b = append(append(b, `,"data":`...), e.Data...)
	}
	return append(b, '}')
}

// appendMember appends "name":"value", after a comma unless it is the first.
func appendMember(b []byte, name, value string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = append(append(append(b, '"'), name...), `":`...)
	b, _ = jsontext.AppendQuote(b, value) // the error is invalid UTF-8, which ingest refuses; it is replaced here
	return b
}

// members returns what stands between the braces of a compact JSON object.
func members(object []byte) []byte {
	if len(object) < 2 {
		return nil
	}
	return object[1 : len(object)-1]
}
