package manage

import (
	"net/http"
	"slices"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/stage/expunge"
)

// noun is something that the API serves. Each has a file of its own, with its
// routes, their handlers, and its part of the store.
type noun interface {
	routes() []httpapi.Route
}

// nouns is the table of all nouns, in the order in which they are documented.
func (h *Handler) nouns() []noun {
	retained := &retained{h}
	plans := &plans{h, retained}
	versions := &versions{h}
	definitions := &definitions{h, h.Store}
	segments := &segments{h, definitions}
	jobs := &jobs{h, h.Store}
	profiles := &profiles{h, h.Store, definitions, jobs}
	campaigns := &campaigns{h, definitions, segments}
	wishes := &wishes{h, segments, campaigns}
	signing := &signing{h, versions}
	return []noun{
		&health{Handler: h, Store: h.Store},
		documents{},
		pages{},
		&portals{Handler: h, Store: h.Store, Keys: h.Store},
		&tenants{h, h.Store, jobs},
		&events{h, versions, plans, retained},
		&subscriptions{h, versions, wishes, signing, jobs},
		signing,
		&pulls{h, versions},
		&previews{h, versions, wishes, profiles, definitions, plans},
		&states{h, h.Store, versions},
		&secrets{h, h.Store},
		&statistics{h, h.Store},
		&eventTypes{h, h.Store},
		profiles,
		&timelines{h, profiles, definitions, plans, retained},
		&attributes{h, h.Store, definitions},
		segments,
		&segmentCounts{h, profiles, definitions, jobs},
		campaigns,
		&outcomes{h, h.Store, campaigns, versions},
		&caps{h, definitions},
		&keys{h, h.Store},
		&deliveries{h, versions, plans, retained},
		&recovers{h, h.Store, versions, jobs},
		&cancelsOfMany{h, versions, jobs},
		jobs,
		&sends{h, h.Store, versions, segments, jobs},
	}
}

// Store is all that the API asks of storage: the part of each noun.
type Store interface {
	Sweeping
	Tenants
	Search
	Subscriptions
	Secrets
	Stats
	EventTypes
	Profiles
	Definitions
	Results
	Keys
	Origins
	Jobs
	trigger.Store
	expunge.Store
}

// Words of the nouns' routes.
const (
	get, put, post, patch, del = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodPatch, http.MethodDelete
	admin, manage              = httpapi.Admin, httpapi.Manage
	portal                     = httpapi.Manage | httpapi.Portal
)

// with returns names and more names of query parameters.
func with(names []string, more ...string) []string { return append(slices.Clip(names), more...) }

// routes are those of all nouns, guarded.
func (h *Handler) routes() (routes []httpapi.Route) {
	for _, n := range h.nouns() {
		routes = append(routes, n.routes()...)
	}
	return guard{h}.before(routes)
}

// Routes lists every route of the API, as "GET /healthz": those that a
// [Handler] serves, and publishing, which it knows as ingest's.
func Routes() []string {
	var list []string
	for _, route := range (&Handler{}).routes() {
		list = append(list, route.Method+" "+route.Pattern)
	}
	return list
}
