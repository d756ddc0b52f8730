package manage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/webhook"
)

// retained tells what of events and deliveries is kept, and may be shown.
type retained struct{ *Handler }

// hideAnswers takes the answers out of a delivery whose event was expunged and
// which was not looked through yet, or recorded an attempt since.
func (h *retained) hideAnswers(ctx context.Context, d webhook.Delivery, attempts []attemptView) error {
	answered := slices.ContainsFunc(attempts, func(a attemptView) bool { return a.Response != nil })
	if !answered {
		return nil
	}
	e, err := h.Store.Event(ctx, d.Tenant, d.EventSource, d.EventID)
	gone := e.Expunged || h.payloadExpired(d.EndedAt)
	if errors.Is(err, webhook.ErrNotFound) {
		err = nil
	}
	if err != nil || !gone {
		return err
	}
	for i := range attempts {
		attempts[i].Response = nil
	}
	return nil
}

// payloadExpired reports whether what was kept since then is gone by
// retention, or will be when storage comes round to it; false for no time.
func (h *retained) payloadExpired(since time.Time) bool {
	keep := cmp.Or(h.Retention.Payload, webhook.DefaultRetention.Payload)
	return !since.IsZero() && !since.Add(keep).After(h.now())
}

// expired reports whether what ended then is not kept any more.
func (h *retained) expired(ended time.Time) bool {
	keep := cmp.Or(h.Retention.All, webhook.DefaultRetention.All)
	return !ended.Add(keep).After(h.now())
}

// shown returns the event without what retention has taken, as far as it is
// still stored.
func (h *retained) shown(e webhook.StoredEvent) webhook.StoredEvent {
	if h.payloadExpired(e.AcceptedAt) {
		e.Data, e.Extensions = nil, nil
	}
	return e
}

// payloadIsThere is a 409 for a delivery whose event was expunged, or which
// ended so long ago that its body is gone.
func (h *retained) payloadIsThere(ctx context.Context, d webhook.Delivery) error {
	e, err := h.Store.Event(ctx, d.Tenant, d.EventSource, d.EventID)
	switch {
	case err != nil && !errors.Is(err, webhook.ErrNotFound):
		return fmt.Errorf("read event of %s: %w", d.ID, err)
	case h.payloadExpired(d.EndedAt):
		return httpapi.DataExpired.Problem("The retention of the delivery's payload has ended, so there is nothing to send.")
	case e.Expunged:
		return httpapi.DataExpunged.Problem("The payload of the delivery's event was expunged, so there is nothing to send.")
	}
	return nil
}
