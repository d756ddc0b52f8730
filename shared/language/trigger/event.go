package trigger

import (
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/webhook"
)

// DecodeEvent decodes an event for filters, keys and distinct values: the one
// form that all decisions look at. Events that ingest took never fail.
func DecodeEvent(e webhook.Event) (*pattern.Event, error) {
	return pattern.Decode(pattern.Envelope{
		ID: e.ID, Source: e.Source, Type: e.Type, Time: webhook.FormatTime(e.Time),
		Subject: e.Subject, HasSubject: e.Subject != "", Data: e.Data, Extensions: e.Extensions,
	})
}
