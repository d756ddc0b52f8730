package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/language/schema"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// Paths of the routes of event types.
const (
	typesPath = tenantPath + "/event-types"
	typePath  = typesPath + "/{type}"
)

// eventTypes serves what is registered about types of events.
type eventTypes struct {
	*Handler
	Store EventTypes
}

func (h *eventTypes) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: get, Pattern: typesPath, Roles: manage, Query: httpapi.PageQuery, Handle: h.list},
		{Method: put, Pattern: typePath, Roles: manage, Handle: h.put},
		{Method: get, Pattern: typePath, Roles: manage, Handle: h.get},
		{Method: del, Pattern: typePath, Roles: manage, Handle: h.delete},
	}
}

// EventTypes keeps what tenants have registered about types of events.
type EventTypes interface {
	// PutEventType registers a type, and reports whether it was not.
	PutEventType(ctx context.Context, typ webhook.EventType) (created bool, err error)
	// EventTypes: see ingest's Types.
	EventTypes(ctx context.Context, tenant string, types []string) (map[string]webhook.EventType, error)
	// PageEventTypes lists types by name, without schema and sample.
	PageEventTypes(ctx context.Context, tenant string, page webhook.Page) (types []webhook.EventType, next string, err error)
	// DeleteEventType removes a type, or returns [webhook.ErrNotFound].
	DeleteEventType(ctx context.Context, tenant, typ string) error
}

// Limits of what is registered about a type, beside [schema.MaxSize].
const (
	maxTypeDescription = 1000     // characters
	maxSample          = 64 << 10 // bytes
)

// eventTypeView is a registered type in a list.
type eventTypeView struct {
	Type        string       `json:"type"`
	Description string       `json:"description"`
	Deprecated  bool         `json:"deprecated"`
	UpdatedAt   httpapi.Time `json:"updated_at"`
}

// fullTypeView is one with all there is.
type fullTypeView struct {
	eventTypeView
	Schema json.RawMessage `json:"schema"` // null for none
	Sample json.RawMessage `json:"sample"` // null for none
}

func viewType(t webhook.EventType) eventTypeView {
	return eventTypeView{t.Type, t.Description, t.Deprecated, httpapi.Time(t.UpdatedAt)}
}

func viewFullType(t webhook.EventType) fullTypeView {
	return fullTypeView{viewType(t), t.Schema, t.Sample}
}

var errNoType = httpapi.EventTypeNotFound.Problem("The event type is not registered. GET /event-types lists them.")

// put registers a type, in place of what was registered of it. Events
// published from then on must fit its schema.
func (h *eventTypes) put(r *httpapi.Request) (httpapi.Response, error) {
	if err := r.RefuseReserved(); err != nil {
		return httpapi.Response{}, err
	}
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	typ, err := readType(r.PathValue("type"), body)
	if err != nil {
		return httpapi.Response{}, err
	}
	typ.Tenant, typ.UpdatedAt = r.Tenant, h.now()
	if err := h.ensureTenant(r); err != nil {
		return httpapi.Response{}, err
	}
	created, err := h.Store.PutEventType(r.Context(), typ)
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("store an event type: %w", err)
	}
	if created {
		location := "/v1/tenants/" + r.Tenant + "/event-types/" + url.PathEscape(typ.Type)
		return httpapi.Response{Status: http.StatusCreated, Header: http.Header{"Location": {location}}, Body: viewFullType(typ)}, nil
	}
	return httpapi.OK(viewFullType(typ)), nil
}

var typeFields = []string{"description", "schema", "sample", "deprecated", "type", "updated_at"}

// readType reads {["description","schema","sample","deprecated"]}; null is
// absent. A sample must fit the schema. What was read of a type can be written
// back: its name, and the time at which it changed, change nothing.
func readType(name string, body strictjson.Value) (typ webhook.EventType, err error) {
	typ.Type = name
	var faults httpapi.Faults
	if wrong := attribute.Type(name); wrong != "" {
		faults.Add("type", "%s", wrong)
	}
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want an object")
	}
	for field, v := range body.Members() {
		if v.Kind() == strictjson.Null && slices.Contains(typeFields, field) {
			continue
		}
		switch field {
		case "type":
			if text, _ := v.Text(); text != name {
				faults.Add(field, "is not the type of the path")
			}
		case "updated_at":
			if text, _ := v.Text(); text == "" {
				faults.Add(field, "is set by Postino: omit it, or send it as you read it")
			}
		case "description":
			typ.Description = typeDescription(v, &faults)
		case "schema":
			typ.Schema = json.RawMessage(v)
		case "sample":
			typ.Sample = json.RawMessage(v)
			if len(v) > maxSample {
				faults.Add(field, "want at most %d bytes", maxSample)
			}
		case "deprecated":
			typ.Deprecated = string(v) == "true"
			if v.Kind() != strictjson.Bool {
				faults.Add(field, "want true or false")
			}
		default:
			faults.Unknown("", field, typeFields)
		}
	}
	if typ.Schema != nil && !faults.Any() {
		checkType(typ, &faults)
	}
	return typ, faults.Err()
}

func typeDescription(v strictjson.Value, faults *httpapi.Faults) string {
	text, ok := v.Text()
	if !ok || utf8.RuneCountInString(text) > maxTypeDescription || strings.ContainsRune(text, 0) {
		faults.Add("description", "want a string of at most %d characters", maxTypeDescription)
	}
	return text
}

// checkType compiles the schema and checks the sample against it.
func checkType(typ webhook.EventType, faults *httpapi.Faults) {
	compiled, wrong := schema.Compile(typ.Schema)
	for _, w := range wrong {
		faults.Add("schema"+w.Path, "%s", w.Detail)
	}
	if wrong != nil || typ.Sample == nil {
		return
	}
	budget := schema.MaxCost
	for _, w := range compiled.Check(typ.Sample, &budget) {
		faults.Add("sample"+w.Path, "does not fit the schema: %s", w.Detail)
	}
}

func (h *eventTypes) list(r *httpapi.Request) (httpapi.Response, error) {
	listing, err := r.Listing()
	if err != nil {
		return httpapi.Response{}, err
	}
	types, next, err := h.Store.PageEventTypes(r.Context(), r.Tenant, listing.Page)
	if err != nil {
		return httpapi.Response{}, listing.Refuse(err)
	}
	views := make([]eventTypeView, len(types))
	for i, typ := range types {
		views[i] = viewType(typ)
	}
	return httpapi.OK(listing.Next(views, next)), nil
}

func (h *eventTypes) get(r *httpapi.Request) (httpapi.Response, error) {
	name := r.PathValue("type")
	if attribute.Type(name) != "" {
		return httpapi.Response{}, errNoType
	}
	found, err := h.Store.EventTypes(r.Context(), r.Tenant, []string{name})
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("read an event type: %w", err)
	}
	typ, ok := found[name]
	if !ok {
		return httpapi.Response{}, errNoType
	}
	return httpapi.OK(viewFullType(typ)), nil
}

// delete forgets a type: its events are no longer checked.
func (h *eventTypes) delete(r *httpapi.Request) (httpapi.Response, error) {
	name := r.PathValue("type")
	if attribute.Type(name) != "" {
		return httpapi.Response{}, errNoType
	}
	err := h.Store.DeleteEventType(r.Context(), r.Tenant, name)
	if errors.Is(err, webhook.ErrNotFound) {
		return httpapi.Response{}, errNoType
	}
	return httpapi.NoContent(), err
}
