package manage

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/webhook"
)

const eventsPath = tenantPath + "/events"

// events serves what was published, and sends or forgets it again.
type events struct {
	*Handler
	versions *versions
	plans    *plans
	retained *retained
}

func (h *events) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: post, Pattern: eventsPath, Origins: true}, // ingest
		{Method: get, Pattern: eventsPath, Roles: manage, Query: with(httpapi.TimeQuery, "type", "subject"), Handle: h.list},
		{Method: get, Pattern: eventsPath + "/{id}", Roles: manage, Query: []string{"source"}, Handle: h.get},
		{Method: post, Pattern: eventsPath + "/{id}/replay", Roles: manage, Query: []string{"source"}, Handle: h.replay},
		{Method: post, Pattern: eventsPath + "/{id}/expunge", Roles: manage, Query: []string{"source"}, Handle: h.expunge},
	}
}

// What one event is shown with, at most.
const (
	shownDeliveries = 50
	countedFurther  = 250 // deliveries beyond the plan that are counted with those of its first page
)

// eventView is an event as the API shows it. Data, as published, follows it.
type eventView struct {
	ID         string          `json:"id"`
	Source     string          `json:"source"`
	Type       string          `json:"type"`
	Subject    *string         `json:"subject"`
	Time       httpapi.Time    `json:"time"`
	AcceptedAt httpapi.Time    `json:"accepted_at"`
	Extensions json.RawMessage `json:"extensions,omitempty"`
	Expunged   bool            `json:"expunged"`
	History    []string        `json:"history,omitempty"` // what an event of the past feeds
}

// oneEventView is an event with what became of it.
type oneEventView struct {
	eventView
	Matched    int                    `json:"matched"`    // subscriptions that get it
	Counts     map[webhook.Status]int `json:"counts"`     // of the first Counted deliveries, by status
	Counted    int                    `json:"counted"`    // of the first 1,000 that matched, and the first 250 that were sent again
	Deliveries []deliveryView         `json:"deliveries"` // the first 50, without their attempts
	Skipped    []skippedView          `json:"skipped"`    // subscriptions among the first 50 that matched, whose trigger did not fire, or that their campaigns keep from it
}

func viewEvent(e webhook.StoredEvent) eventView {
	return eventView{
		ID: e.ID, Source: e.Source, Type: e.Type, Subject: orNull(e.Subject), Time: httpapi.Time(e.Time), AcceptedAt: httpapi.Time(e.AcceptedAt),
		Extensions: e.Extensions, Expunged: e.Expunged, History: e.History.Names(),
	}
}

// orNull is a pointer to s, or nil for its zero value, which JSON shows as null.
func orNull[T comparable](s T) *T {
	var zero T
	if s == zero {
		return nil
	}
	return &s
}

func (h *events) list(r *httpapi.Request) (httpapi.Response, error) {
	listing, err := r.Listing()
	if err != nil {
		return httpapi.Response{}, err
	}
	filter, err := eventFilter(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	events, next, err := h.Store.PageEvents(r.Context(), r.Tenant, filter, listing.Page)
	if err != nil {
		return httpapi.Response{}, listing.Refuse(err)
	}
	views := make([]eventView, len(events))
	for i, e := range events {
		views[i] = viewEvent(h.retained.shown(e))
	}
	return httpapi.OK(listing.Next(views, next)), nil
}

func eventFilter(r *httpapi.Request) (webhook.EventFilter, error) {
	filter := webhook.EventFilter{Type: r.Query.Get("type"), Subject: r.Query.Get("subject")}
	var faults httpapi.Faults
	if r.Query.Has("type") {
		if wrong := attribute.TypePattern(filter.Type); wrong != "" {
			faults.Add("type", "%s", wrong)
		}
	}
	checkSubject(r, &faults)
	if filter.Type == "*" {
		filter.Type = ""
	}
	return filter, faults.Err()
}

// checkSubject checks the subject that a list is asked for.
func checkSubject(r *httpapi.Request, faults *httpapi.Faults) {
	if !r.Query.Has("subject") {
		return
	}
	if wrong := attribute.Subject(r.Query.Get("subject")); wrong != "" {
		faults.Add("subject", "%s", wrong)
	}
}

// source returns the query's source, or the one of events published without.
func source(r *httpapi.Request) string {
	if s := r.Query.Get("source"); s != "" {
		return s
	}
	return webhook.DefaultSource(r.Tenant)
}

// event reads the event of the path.
func (h *events) event(r *httpapi.Request) (webhook.StoredEvent, error) {
	e, err := h.Store.Event(r.Context(), r.Tenant, source(r), r.PathValue("id"))
	if errors.Is(err, webhook.ErrNotFound) {
		return e, httpapi.EventNotFound.Problem("The event does not exist, or it is not stored yet. If it was published with a source, add ?source=.")
	}
	if err != nil {
		return e, fmt.Errorf("read event: %w", err)
	}
	return e, nil
}

func (h *events) get(r *httpapi.Request) (httpapi.Response, error) {
	e, err := h.event(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	entries, err := h.plans.from(r.Context(), e, 0)
	if err != nil {
		return httpapi.Response{}, err
	}
	deliveries, err := h.plans.deliveries(r.Context(), e, entries)
	if err != nil {
		return httpapi.Response{}, err
	}
	deliveries, skipped, err := h.plans.outcomes(r.Context(), e, deliveries, shownDeliveries)
	if err != nil {
		return httpapi.Response{}, err
	}
	further, _, err := h.Store.Occasions(r.Context(), e.Tenant, e.Source, e.ID, "", countedFurther)
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("read further deliveries of %s: %w", e.ID, err)
	}
	deliveries = append(deliveries, further...)
	away := kept(entries)
	skipped = append(skipped, away[:min(len(away), shownDeliveries)]...)
	view := oneEventView{eventView: viewEvent(h.retained.shown(e)), Matched: e.Plan.Total - len(away), Counts: countByStatus(deliveries), Counted: len(deliveries), Skipped: skipped}
	if view.Deliveries, err = h.plans.shown(r.Context(), r.Tenant, deliveries[:min(len(deliveries), shownDeliveries)]); err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(withData(view, h.retained.shown(e))), nil
}

// withData adds the data to the view as it was published: encoding/json would
// change its white space.
func withData(view oneEventView, e webhook.StoredEvent) httpapi.Encoded {
	b := httpapi.Encode(view)
	if e.Data == nil {
		return b
	}
	b = append(b[:len(b)-1], `,"data":`...)
	b = append(b, e.Data...)
	return append(b, '}')
}

func countByStatus(deliveries []webhook.Delivery) map[webhook.Status]int {
	counts := map[webhook.Status]int{webhook.Pending: 0, webhook.Succeeded: 0, webhook.Exhausted: 0, webhook.Canceled: 0}
	for _, d := range deliveries {
		counts[d.Status]++
	}
	return counts
}
