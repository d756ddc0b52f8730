package manage

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/webhook"
)

// guard stands before the routes that change something of a tenant.
type guard struct{ *Handler }

// handle is what answers a request.
type handle func(*httpapi.Request) (httpapi.Response, error)

// before puts [guard.standing] before every route that changes something of
// a tenant, and [guard.made] before those but the one that makes it.
func (h guard) before(routes []httpapi.Route) []httpapi.Route {
	for i, route := range routes {
		deletes := route.Method == http.MethodDelete && route.Pattern == tenantPath
		if route.Handle == nil || route.Method == http.MethodGet || deletes || !strings.Contains(route.Pattern, "{tenant}") {
			continue
		}
		next := handle(route.Handle)
		if makes := route.Method == http.MethodPut && route.Pattern == tenantPath; !makes {
			next = h.made(next)
		}
		routes[i].Handle = h.standing(next)
	}
	return routes
}

// standing refuses changes to a tenant that is being deleted.
func (h guard) standing(next handle) handle {
	return func(r *httpapi.Request) (httpapi.Response, error) {
		state, err := h.Store.TenantState(r.Context(), r.Tenant)
		if err != nil {
			return httpapi.Response{}, fmt.Errorf("read tenant: %w", err)
		}
		if state.Running() {
			return httpapi.Response{}, webhook.ErrDeleting
		}
		return next(r)
	}
}

// made refuses a tenant that nobody made, if only those are taken that were.
// The reserved tenant is always there.
func (h guard) made(next handle) handle {
	return func(r *httpapi.Request) (httpapi.Response, error) {
		if !h.Made || r.Tenant == httpapi.ReservedTenant {
			return next(r)
		}
		err := h.Store.FindTenant(r.Context(), r.Tenant)
		if errors.Is(err, webhook.ErrNotFound) {
			return httpapi.Response{}, r.NoSuchTenant(h.Store, h.log())
		}
		if err != nil {
			return httpapi.Response{}, fmt.Errorf("find tenant: %w", err)
		}
		return next(r)
	}
}
