package manage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// Tenants keeps who there is.
type Tenants interface {
	// FindTenant: see ingest's Tenants.
	FindTenant(ctx context.Context, tenant string) error
	// PageTenants lists tenants by name.
	PageTenants(ctx context.Context, page webhook.Page) (tenants []string, next string, err error)
	// TenantState: see fanout's Subscriptions.
	TenantState(ctx context.Context, tenant string) (webhook.TenantState, error)
	// BeginDeletion notes that a tenant is being deleted from now on, or returns
	// [webhook.ErrNotFound]. A repeat changes nothing.
	BeginDeletion(ctx context.Context, tenant string, now time.Time) error
}

type tenantView struct {
	ID string `json:"id"`
}

// putTenant makes a tenant known before its first use. A repeat changes
// nothing.
func (h *Handler) putTenant(r *httpapi.Request) (httpapi.Response, error) {
	if err := r.RefuseReserved(); err != nil {
		return httpapi.Response{}, err
	}
	if err := readTenant(r); err != nil {
		return httpapi.Response{}, err
	}
	created, err := h.Store.EnsureTenant(r.Context(), r.Tenant)
	if err != nil {
		return httpapi.Response{}, err
	}
	if !created {
		return httpapi.OK(tenantView{r.Tenant}), nil
	}
	return httpapi.Response{
		Status: http.StatusCreated, Header: http.Header{"Location": {"/v1/tenants/" + r.Tenant}}, Body: tenantView{r.Tenant},
	}, nil
}

// readTenant reads {["id"]}, as a tenant is shown.
func readTenant(r *httpapi.Request) error {
	body, err := r.OptionalJSON()
	if err != nil {
		return err
	}
	var faults httpapi.Faults
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want no body, or an object")
	}
	for name, v := range body.Members() {
		if name != "id" {
			faults.Unknown("", name, []string{"id"})
		} else if id, _ := v.Text(); id != r.Tenant {
			faults.Add("id", "is not the tenant of the path")
		}
	}
	return faults.Err()
}

// listTenants lists all that are known, by name.
func (h *Handler) listTenants(r *httpapi.Request) (httpapi.Response, error) {
	listing, err := r.Listing()
	if err != nil {
		return httpapi.Response{}, err
	}
	names, next, err := h.Store.PageTenants(r.Context(), listing.Page)
	if err != nil {
		return httpapi.Response{}, listing.Refuse(err)
	}
	views := make([]tenantView, len(names))
	for i, name := range names {
		views[i] = tenantView{name}
	}
	return httpapi.OK(listing.Next(views, next)), nil
}

// deleteTenant starts the job that removes a tenant. The job is the reserved
// tenant's, since nothing of the tenant's own stays. From now on nothing is
// taken for it. A repeat starts another job, which does the same: whoever died
// between the two writes here is made up for.
func (h *Handler) deleteTenant(r *httpapi.Request) (httpapi.Response, error) {
	if err := r.RefuseReserved(); err != nil {
		return httpapi.Response{}, err
	}
	if err := r.Empty(); err != nil {
		return httpapi.Response{}, err
	}
	err := h.Store.BeginDeletion(r.Context(), r.Tenant, h.now())
	if errors.Is(err, webhook.ErrNotFound) {
		return httpapi.Response{}, httpapi.TenantNotFound.Problem("The tenant does not exist, or the key belongs to another tenant.")
	}
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("begin deletion: %w", err)
	}
	state, err := h.Store.TenantState(r.Context(), r.Tenant)
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("read tenant: %w", err)
	}
	j := h.newJob(webhook.JobDeleteTenant)
	j.Tenant, j.Target, j.Born = httpapi.ReservedTenant, r.Tenant, state.Began.UnixMilli()
	return h.startJob(r, j)
}

// standing refuses changes to a tenant that is being deleted.
func (h *Handler) standing(handle func(*httpapi.Request) (httpapi.Response, error)) func(*httpapi.Request) (httpapi.Response, error) {
	return func(r *httpapi.Request) (httpapi.Response, error) {
		state, err := h.Store.TenantState(r.Context(), r.Tenant)
		if err != nil {
			return httpapi.Response{}, fmt.Errorf("read tenant: %w", err)
		}
		if state.Running() {
			return httpapi.Response{}, webhook.ErrDeleting
		}
		return handle(r)
	}
}

// ensureTenant makes the tenant known, and warns if it was not: its name may be
// mistyped.
func (h *Handler) ensureTenant(r *httpapi.Request) error {
	created, err := h.Store.EnsureTenant(r.Context(), r.Tenant)
	if created {
		r.WarnOfNewTenant(h.Store, h.log())
	}
	return err
}

// made refuses a tenant that nobody made, if only those are taken that were.
// The reserved tenant is always there.
func (h *Handler) made(handle func(*httpapi.Request) (httpapi.Response, error)) func(*httpapi.Request) (httpapi.Response, error) {
	return func(r *httpapi.Request) (httpapi.Response, error) {
		if !h.Made || r.Tenant == httpapi.ReservedTenant {
			return handle(r)
		}
		err := h.Store.FindTenant(r.Context(), r.Tenant)
		if errors.Is(err, webhook.ErrNotFound) {
			return httpapi.Response{}, r.NoSuchTenant(h.Store, h.log())
		}
		if err != nil {
			return httpapi.Response{}, fmt.Errorf("find tenant: %w", err)
		}
		return handle(r)
	}
}

// guarded puts [Handler.standing] before every route that changes something of
// a tenant, and [Handler.made] before those but the one that makes it.
func (h *Handler) guarded(routes []httpapi.Route) []httpapi.Route {
	for i, route := range routes {
		deletes := route.Method == http.MethodDelete && route.Pattern == tenantPath
		if route.Handle == nil || route.Method == http.MethodGet || deletes || !strings.Contains(route.Pattern, "{tenant}") {
			continue
		}
		handle := route.Handle
		if makes := route.Method == http.MethodPut && route.Pattern == tenantPath; !makes {
			handle = h.made(handle)
		}
		routes[i].Handle = h.standing(handle)
	}
	return routes
}
