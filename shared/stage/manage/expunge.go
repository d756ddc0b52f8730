package manage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/stage/expunge"
	"github.com/postino/postino/shared/webhook"
)

// slicesAtOnce is how much of an event is looked through before the answer: a
// plan of up to a page, and the first of its further occasions.
const slicesAtOnce = 2

// expungeEvent removes an event's payload and all that was made of it. From the
// answer on nothing shows or sends it. The message that is sent first looks
// through the event's deliveries once more when all attempts that were under
// way are recorded, and through those that are too many to do here.
func (h *Handler) expungeEvent(r *httpapi.Request) (httpapi.Response, error) {
	if err := r.Empty(); err != nil {
		return httpapi.Response{}, err
	}
	e, err := h.event(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	again := message.Expunge{Tenant: e.Tenant, Source: e.Source, Event: e.ID}
	if err := h.resend(r.Context(), again, expunge.Again); err != nil {
		return httpapi.Response{}, err
	}
	if err := h.Store.ExpungeEvent(r.Context(), e.Tenant, e.Source, e.ID); err != nil {
		return httpapi.Response{}, fmt.Errorf("expunge event %s: %w", e.ID, err)
	}
	e.Expunged, e.Subject, e.Extensions, e.Data = true, "", nil, nil
	position, x := "", expunge.Expunger{Store: h.Store, Counter: h.Counter}
	for range slicesAtOnce {
		if position, err = x.Slice(r.Context(), e, position, h.now()); err != nil {
			return httpapi.Response{}, err
		}
		if position == "" {
			break
		}
	}
	r.Note(slog.String("event", e.ID))
	return httpapi.OK(viewEvent(e)), nil
}

// hideAnswers takes the answers out of a delivery whose event was expunged and
// which was not looked through yet, or recorded an attempt since.
func (h *Handler) hideAnswers(ctx context.Context, d webhook.Delivery, attempts []attemptView) error {
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
func (h *Handler) payloadExpired(since time.Time) bool {
	keep := cmp.Or(h.Retention.Payload, webhook.DefaultRetention.Payload)
	return !since.IsZero() && !since.Add(keep).After(h.now())
}

// expired reports whether what ended then is not kept any more.
func (h *Handler) expired(ended time.Time) bool {
	keep := cmp.Or(h.Retention.All, webhook.DefaultRetention.All)
	return !ended.Add(keep).After(h.now())
}

// shown returns the event without what retention has taken, as far as it is
// still stored.
func (h *Handler) shown(e webhook.StoredEvent) webhook.StoredEvent {
	if h.payloadExpired(e.AcceptedAt) {
		e.Data, e.Extensions = nil, nil
	}
	return e
}

// payloadIsThere is a 409 for a delivery whose event was expunged, or which
// ended so long ago that its body is gone.
func (h *Handler) payloadIsThere(ctx context.Context, d webhook.Delivery) error {
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
