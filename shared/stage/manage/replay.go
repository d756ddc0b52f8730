package manage

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/publication"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// replayView names an event and the replay that its further deliveries are of.
type replayView struct {
	ID     string `json:"id"`
	Replay string `json:"replay"`
}

// replay asks for an event to be sent again to those whom it matches now,
// as new deliveries with the same event id.
func (h *events) replay(r *httpapi.Request) (httpapi.Response, error) {
	only, err := h.replayTo(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	e, err := h.event(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	if e.Expunged {
		return httpapi.Response{}, httpapi.DataExpunged.Problem("The event's data was expunged, so there is nothing to send.")
	}
	if h.retained.payloadExpired(e.AcceptedAt) {
		return httpapi.Response{}, httpapi.DataExpired.Problem("The retention of the event's data has ended, so there is nothing to send.")
	}
	id, err := h.replayID(r, e, only)
	if err != nil {
		return httpapi.Response{}, err
	}
	ask := message.Replay{ID: id, At: h.now(), Tenant: e.Tenant, Source: e.Source, Event: e.ID, Subscription: only}
	if err := h.Events.Send(r.Context(), []queue.Message{{Group: e.Tenant, Body: ask.Encode()}}); err != nil {
		return httpapi.Response{}, httpapi.NotQueued.Problem("The message could not be queued. Send the request again.").After(time.Second).Because(fmt.Errorf("replay %s: %w", e.ID, err))
	}
	r.Note(slog.String("event", e.ID), slog.String("replay", id))
	return httpapi.Response{Status: http.StatusAccepted, Body: replayView{e.ID, id}}, nil
}

// replayTo reads the subscription that alone is to receive the event; "" for
// every one.
func (h *events) replayTo(r *httpapi.Request) (string, error) {
	body, err := r.Read()
	if err != nil || len(body) == 0 {
		return "", err
	}
	v, err := httpapi.ParseJSON(body)
	if err != nil {
		return "", err
	}
	var faults httpapi.Faults
	only := ""
	if v.Kind() != strictjson.Object {
		faults.Add("body", "want an object")
	}
	for name, member := range v.Members() {
		id, text := member.Text()
		switch {
		case name != "subscription":
			faults.Unknown("", name, []string{"subscription"})
		case member.Kind() == strictjson.Null:
		case !text || !subscription.ValidID(id):
			faults.Add("subscription", subscription.IDSyntax)
		default:
			only = id
		}
	}
	if faults.Any() || only == "" {
		return "", faults.Err()
	}
	head, err := h.versions.head(r, only)
	if err != nil {
		return "", err
	}
	if head.Version == 0 {
		faults.Add("subscription", "the subscription does not exist")
	}
	return only, faults.Err()
}

// replayID names a replay: anew for each request, unless it says by its
// Idempotency-Key that it may be a repeat.
func (h *events) replayID(r *httpapi.Request, e webhook.StoredEvent, only string) (string, error) {
	key, err := publication.IdempotencyKey(r)
	if err != nil {
		return "", err
	}
	if key != "" {
		return webhook.RepeatableReplay(e.Tenant, e.Key(), only, key), nil
	}
	return h.newID("rpl_"), nil
}
