package manage

import (
	"fmt"
	"log/slog"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/stage/expunge"
)

// slicesAtOnce is how much of an event is looked through before the answer: a
// plan of up to a page, and the first of its further occasions.
const slicesAtOnce = 2

// expunge removes an event's payload and all that was made of it. From the
// answer on nothing shows or sends it. The message that is sent first looks
// through the event's deliveries once more when all attempts that were under
// way are recorded, and through those that are too many to do here.
func (h *events) expunge(r *httpapi.Request) (httpapi.Response, error) {
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
