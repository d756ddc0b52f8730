package manage

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/publication"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// previewed is an event that a preview is asked for.
type previewed struct {
	webhook.Event
	happened  bool   // it was published before: profiles have its effects already
	elsewhere string // the url to which a test goes instead of the subscription's; "" for that
}

// given reads an event: as it is published, as GET /events/{id} shows it, or the id
// of one that is stored.
func (h *previews) given(r *httpapi.Request, v strictjson.Value, faults *httpapi.Faults) (previewed, error) {
	members := map[string]strictjson.Value{}
	for name, member := range v.Members() {
		members[name] = member
	}
	_, isText := v.Text()
	switch {
	case isText, namesEvent(members):
		return h.stored(r, v, members, faults)
	case members["accepted_at"] != nil:
		return asRead(r.Tenant, members, h.now(), faults), nil
	}
	e, err := h.published(r, v, members, faults)
	return previewed{Event: e}, err
}

// namesEvent reports whether an event says nothing of itself but which it is.
func namesEvent(members map[string]strictjson.Value) bool {
	for name := range members {
		if name != "id" && name != "source" {
			return false
		}
	}
	return members["id"] != nil
}

// stored reads an event by its id. Portal keys see no events.
func (h *previews) stored(r *httpapi.Request, v strictjson.Value, members map[string]strictjson.Value, faults *httpapi.Faults) (previewed, error) {
	if r.Principal.Role == httpapi.Portal {
		faults.Add("event", `a portal key cannot read stored events: write the event itself, like {"type": "order.paid", "data": {}}`)
		return previewed{}, nil
	}
	id, isText := v.Text()
	source := webhook.DefaultSource(r.Tenant)
	if !isText {
		if id, isText = members["id"].Text(); !isText {
			faults.Add("event.id", "want a string")
		}
		if given := members["source"]; given != nil {
			if source, isText = given.Text(); !isText {
				faults.Add("event.source", "want a string")
			}
		}
	}
	if faults.Any() {
		return previewed{}, nil
	}
	e, err := h.Store.Event(r.Context(), r.Tenant, source, id)
	if err != nil && !errors.Is(err, webhook.ErrNotFound) {
		return previewed{}, fmt.Errorf("read event: %w", err)
	}
	shown := h.plans.retained.shown(e)
	switch {
	case err != nil:
		faults.Add("event", `there is no event of this id, or it is not stored yet. With a source of its own write {"id": "…", "source": "…"}`)
	case shown.Data == nil && e.Data != nil, e.Expunged:
		faults.Add("event", "its payload is not kept any more: choose a newer event, or write it whole")
	}
	return previewed{Event: shown.Event, happened: true}, nil
}

// shownOnly are the fields of an event as it is read that say nothing of the event.
var shownOnly = []string{"accepted_at", "expunged", "extensions", "matched", "counts", "counted", "deliveries", "skipped"}

// asRead reads an event as GET /events/{id} shows it.
func asRead(tenant string, members map[string]strictjson.Value, now time.Time, faults *httpapi.Faults) previewed {
	said := map[string]json.RawMessage{}
	for name, v := range members {
		if !slices.Contains(shownOnly, name) && v.Kind() != strictjson.Null || name == "data" {
			said[name] = json.RawMessage(v)
		}
	}
	e := publication.One(httpapi.Encode(said), tenant, now, faults)
	text, isText := members["accepted_at"].Text()
	e.AcceptedAt = readTime("event.accepted_at", text, isText, faults).Truncate(time.Millisecond)
	if x := members["extensions"]; x != nil && x.Kind() != strictjson.Null {
		if e.Extensions = json.RawMessage(x.Compact()); x.Kind() != strictjson.Object {
			faults.Add("event.extensions", "want an object")
		}
	}
	return previewed{Event: e, happened: true}
}

// published reads an event whose data, if it has none, is the sample of its type.
func (h *previews) published(r *httpapi.Request, v strictjson.Value, members map[string]strictjson.Value, faults *httpapi.Faults) (webhook.Event, error) {
	typ, ok := members["type"].Text()
	if !ok || members["data"] != nil || members["specversion"] != nil {
		return publication.One(v, r.Tenant, h.now(), faults), nil
	}
	data, err := h.sampleOf(r.Context(), r.Tenant, typ)
	switch {
	case err != nil:
		return webhook.Event{}, err
	case data == nil:
		faults.Add("event.data", "required: the event type has no sample")
		return webhook.Event{}, nil
	}
	members["data"] = strictjson.Value(data)
	with := map[string]json.RawMessage{}
	for name, member := range members {
		with[name] = json.RawMessage(member)
	}
	return publication.One(httpapi.Encode(with), r.Tenant, h.now(), faults), nil
}
