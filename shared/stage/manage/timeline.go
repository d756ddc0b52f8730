package manage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/webhook"
)

const timelinePath = profilePath + "/timeline"

// Bounds of a page of a timeline.
const (
	maxMoments       = 50      // events
	maxOutcomes      = 20      // of one event: subscriptions that matched, and as many that did not
	maxShownRequests = 1 << 20 // bytes of the requests of one page
	momentsAtOnce    = 8
)

// timelines serves what has happened to a subject, and what came of it.
type timelines struct {
	*Handler
	profiles    *profiles
	definitions *definitions
	plans       *plans
	retained    *retained
}

func (h *timelines) routes() []httpapi.Route {
	return []httpapi.Route{{Method: http.MethodGet, Pattern: timelinePath, Roles: manage, Query: httpapi.TimeQuery, Handle: h.get}}
}

// momentView is an event of a subject, with what each subscription made of it.
type momentView struct {
	eventView
	Matched  int           `json:"matched"`  // subscriptions that it matched
	Outcomes []outcomeView `json:"outcomes"` // of the first of these, then of those that ask for its type and did not match
}

var errUnheardOf = httpapi.ProfileNotFound.Problem("There is no profile of this subject, and no event in this range.")

// get shows one page of events, newest first, by acceptance.
func (h *timelines) get(r *httpapi.Request) (httpapi.Response, error) {
	subject := r.PathValue("subject")
	if attribute.Subject(subject) != "" {
		return httpapi.Response{}, errNoProfile
	}
	listing, err := r.Listing()
	if err != nil {
		return httpapi.Response{}, err
	}
	listing.Page.Limit = min(listing.Page.Limit, maxMoments)
	events, next, err := h.Store.PageEvents(r.Context(), r.Tenant, webhook.EventFilter{Subject: subject}, listing.Page)
	if err != nil {
		return httpapi.Response{}, listing.Refuse(err)
	}
	if len(events) == 0 && next == "" && listing.Page.Position == "" {
		p, err := h.profiles.of(r, subject)
		if err == nil && p.Revision == 0 {
			err = errUnheardOf
		}
		if err != nil {
			return httpapi.Response{}, err
		}
	}
	moments, err := h.moments(r, subject, events)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(listing.Next(moments, next)), nil
}

// moments tells of events what came of them.
func (h *timelines) moments(r *httpapi.Request, subject string, events []webhook.StoredEvent) ([]momentView, error) {
	moments := make([]momentView, len(events))
	if len(events) == 0 {
		return moments, nil
	}
	told, err := h.teller(r, subject)
	if err != nil {
		return nil, err
	}
	g, ctx := errgroup.WithContext(r.Context())
	g.SetLimit(momentsAtOnce)
	for i, e := range events {
		g.Go(func() (err error) {
			if moments[i], err = told.moment(ctx, e); err != nil {
				err = fmt.Errorf("timeline: event %s: %w", e.ID, err)
			}
			return err
		})
	}
	err = g.Wait()
	told.clip(moments)
	return moments, err
}

// clip leaves out the requests beyond what a page shows.
func (t *teller) clip(moments []momentView) {
	room := maxShownRequests
	for _, m := range moments {
		for i, o := range m.Outcomes {
			if o.Request == nil {
				continue
			}
			if room -= len(o.Request.Body) + len(o.Request.URL); room < 0 {
				m.Outcomes[i].Request = nil
			}
		}
	}
}

// teller tells what came of events, by what a tenant has now and had then.
type teller struct {
	*timelines
	defined  *people.Definitions
	known    people.View // what is known of the subject now
	asking   []asking
	versions *readVersions
}

// asking is a subscription as it selects events now.
type asking struct {
	webhook.Head
	filter func() (*pattern.Pattern, error) // compiled once, if it is asked; nil selects all
}

// teller reads what is needed for any event of a page.
func (h *timelines) teller(r *httpapi.Request, subject string) (*teller, error) {
	t := &teller{timelines: h, versions: &readVersions{store: h.Store}}
	var err error
	if t.defined, err = h.definitions.compiled(r); err != nil {
		return nil, err
	}
	p, err := h.profiles.of(r, subject)
	if err != nil {
		return nil, err
	}
	if t.known, err = t.defined.ViewOf(p); err != nil {
		return nil, err
	}
	heads, _, err := h.Store.PageHeads(r.Context(), r.Tenant, webhook.Page{Limit: maxAsked})
	if err != nil {
		return nil, fmt.Errorf("read subscriptions: %w", err)
	}
	for _, head := range heads {
		a := asking{Head: head}
		if len(head.Filter) > 0 {
			a.filter = sync.OnceValues(func() (*pattern.Pattern, error) {
				return pattern.CompileOver(pattern.WithProfile, head.Filter, "filter")
			})
		}
		t.asking = append(t.asking, a)
	}
	return t, nil
}

// maxAsked is how many subscriptions are asked why they did not match.
const maxAsked = 250

// moment tells what came of one event.
func (t *teller) moment(ctx context.Context, listed webhook.StoredEvent) (momentView, error) {
	m := momentView{eventView: viewEvent(listed), Outcomes: []outcomeView{}}
	e, err := t.Store.Event(ctx, listed.Tenant, listed.Source, listed.ID)
	if errors.Is(err, webhook.ErrNotFound) {
		return m, nil // it expired just now
	}
	if err != nil {
		return m, err
	}
	e = t.retained.shown(e)
	decoded, err := trigger.DecodeEvent(e.Event)
	if err != nil {
		return m, err
	}
	m.eventView, m.Matched = viewEvent(e), e.Plan.Total
	entries, err := t.plans.from(ctx, e, 0)
	if err != nil {
		return m, err
	}
	if m.Outcomes, err = t.matched(ctx, e, decoded, entries[:min(len(entries), maxOutcomes)]); err != nil {
		return m, err
	}
	m.Outcomes = append(m.Outcomes, away(entries)...)
	missed, err := t.missed(e, entries)
	m.Outcomes = append(m.Outcomes, missed...)
	return m, err
}
