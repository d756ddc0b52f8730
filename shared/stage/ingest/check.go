package ingest

import (
	"context"
	"fmt"
	"strconv"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/publication"
	"github.com/postino/postino/shared/language/schema"
	"github.com/postino/postino/shared/language/suggest"
	"github.com/postino/postino/shared/webhook"
)

// Types knows the event types that tenants have registered.
type Types interface {
	// EventTypes returns the types that are registered, by name, in one
	// consistent read: a schema applies from the next request on.
	EventTypes(ctx context.Context, tenant string, types []string) (map[string]webhook.EventType, error)
	// PageEventTypes lists the registered types by name, without schema and sample.
	PageEventTypes(ctx context.Context, tenant string, page webhook.Page) (types []webhook.EventType, next string, err error)
}

// check holds each event against the schema of its type, if that has one. If
// the installation is strict, a type must be registered.
func (h *Handler) check(ctx context.Context, tenant string, p publication.Publication) error {
	if h.Types == nil {
		return nil
	}
	types, err := h.Types.EventTypes(ctx, tenant, distinctTypes(p.Events))
	if err != nil {
		return unavailable(nil, fmt.Errorf("read event types of %s: %w", tenant, err))
	}
	if err := h.strict(ctx, tenant, types, p); err != nil {
		return err
	}
	var faults httpapi.Faults
	budget := schema.MaxCost
	for i, e := range p.Events {
		text := types[e.Type].Schema
		if text == nil {
			continue
		}
		place := "data"
		if !p.Single {
			place = "[" + strconv.Itoa(i) + "].data"
		}
		compiled, wrong, err := h.schemas.Compile(ctx, tenant, text, &budget)
		if err != nil {
			return unavailable(nil, fmt.Errorf("check against schemas: %w", err))
		}
		if wrong != nil && budget < 0 {
			faults.Add(place, "the schema of its type %s", wrong[0].Detail)
			break
		}
		if wrong != nil { // it compiled when it was registered
			return fmt.Errorf("compile the schema of %s of %s: %s", e.Type, tenant, wrong[0].Detail)
		}
		if e.Data == nil {
			faults.Add(place, "required: there is a schema for the data of this type")
			continue
		}
		for _, w := range compiled.Check(e.Data, &budget) {
			faults.Add(place+w.Path, "%s", w.Detail)
		}
	}
	return faults.Err()
}

// strict refuses types that are not registered, if the installation is strict.
func (h *Handler) strict(ctx context.Context, tenant string, registered map[string]webhook.EventType, p publication.Publication) error {
	if !h.Strict {
		return nil
	}
	var faults httpapi.Faults
	var known []string
	for i, e := range p.Events {
		if _, ok := registered[e.Type]; ok {
			continue
		}
		place := "type"
		if !p.Single {
			place = "[" + strconv.Itoa(i) + "].type"
		}
		if known == nil {
			known = h.someTypes(ctx, tenant)
		}
		faults.Add(place, "is not registered%s; this installation accepts only registered types: see PUT /event-types/{type}", suggest.Hint(e.Type, known))
	}
	return faults.Err()
}

// maxCompared is how many registered types are compared with one that is not.
const maxCompared = 250

// someTypes returns names for a suggestion. Without them there is none.
func (h *Handler) someTypes(ctx context.Context, tenant string) []string {
	names := []string{}
	types, _, err := h.Types.PageEventTypes(ctx, tenant, webhook.Page{Limit: maxCompared})
	if err != nil && h.Log != nil {
		h.Log.WarnContext(ctx, "list event types for a suggestion", "tenant", tenant, "error", err)
	}
	for _, t := range types {
		names = append(names, t.Type)
	}
	return names
}

func distinctTypes(events []webhook.Event) (types []string) {
	seen := map[string]bool{}
	for _, e := range events {
		if !seen[e.Type] {
			seen[e.Type] = true
			types = append(types, e.Type)
		}
	}
	return types
}
