package manage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

const tenantPath = "/v1/tenants/{tenant}"

// tenants serves who there is.
type tenants struct {
	*Handler
	Store Tenants
	jobs  *jobs
}

func (h *tenants) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: get, Pattern: "/v1/tenants", Roles: admin, Query: httpapi.PageQuery, Handle: h.list},
		{Method: put, Pattern: tenantPath, Roles: admin, Handle: h.put},
		{Method: del, Pattern: tenantPath, Roles: admin, Handle: h.delete},
	}
}

// Tenants keeps who there is.
type Tenants interface {
	// EnsureTenant: see ingest's Tenants.
	EnsureTenant(ctx context.Context, tenant string) (created bool, err error)
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

// put makes a tenant known before its first use. A repeat changes
// nothing.
func (h *tenants) put(r *httpapi.Request) (httpapi.Response, error) {
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

// list lists all that are known, by name.
func (h *tenants) list(r *httpapi.Request) (httpapi.Response, error) {
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

// delete starts the job that removes a tenant. The job is the reserved
// tenant's, since nothing of the tenant's own stays. From now on nothing is
// taken for it. A repeat starts another job, which does the same: whoever died
// between the two writes here is made up for.
func (h *tenants) delete(r *httpapi.Request) (httpapi.Response, error) {
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
	j := h.jobs.begin(webhook.JobDeleteTenant)
	j.Tenant, j.Target, j.Born = httpapi.ReservedTenant, r.Tenant, state.Began.UnixMilli()
	return h.jobs.start(r, j)
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
