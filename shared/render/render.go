// Package render makes the request that a subscriber wants out of an event.
package render

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/postino/postino/shared/webhook"
)

// Content types of the bodies that need no template.
const (
	JSON       = "application/json"
	CloudEvent = "application/cloudevents+json"
)

// Content renders the part of a delivery that never changes after: method and
// body.
func Content(e webhook.Event, s webhook.Subscription) webhook.Content {
	if s.Request != nil && s.Request.Format == "cloudevents" {
		return webhook.Content{Method: "POST", ContentType: CloudEvent, Body: webhook.Text{Plain: string(cloudEvent(e))}}
	}
	return webhook.Content{Method: "POST", ContentType: JSON, Body: webhook.Text{Plain: string(standard(e))}}
}

// Target renders where the delivery goes, from the subscription as it is now.
func Target(_ webhook.Event, s webhook.Subscription) webhook.Target {
	return webhook.Target{URL: webhook.Text{Plain: s.URL}}
}

// standard is the Standard Webhooks payload, the data as it was published.
func standard(e webhook.Event) []byte {
	b := make([]byte, 0, 160+len(e.Data))
	b = append(b, '{')
	b = appendMember(b, "id", e.ID)
	b = appendMember(b, "type", e.Type)
	b = appendMember(b, "timestamp", formatTime(e.Time))
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
	b = appendMember(b, "time", formatTime(e.Time))
	if e.Subject != "" {
		b = appendMember(b, "subject", e.Subject)
	}
	if inner := members(e.Extensions); len(inner) > 0 {
		b = append(append(b, ','), inner...)
	}
	if e.Data != nil {
		b = appendMember(b, "datacontenttype", JSON)
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

func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
