package openapi_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/stage/ingest"
	"github.com/postino/postino/shared/stage/manage"
	"github.com/postino/postino/shared/webhook"
)

func TestEveryRouteIsDescribedAndNoOther(t *testing.T) {
	var described []string
	for _, op := range open(t, false).operations() {
		described = append(described, op.String())
	}
	routes := manage.Routes()
	if publish := http.MethodPost + " " + ingest.Pattern; !slices.Contains(routes, publish) {
		routes = append(routes, publish)
	}
	for _, route := range routes {
		if !slices.Contains(described, route) {
			t.Errorf("%s is served, but not described", route)
		}
	}
	for _, route := range described {
		if !slices.Contains(routes, route) {
			t.Errorf("%s is described, but not served", route)
		}
	}
}

// door answers every key alike.
type door struct {
	principal httpapi.Principal
	known     bool
	err       error
}

func (d door) Authenticate(context.Context, string, string) (httpapi.Principal, bool, error) {
	return d.principal, d.known, d.err
}

// knock calls an operation behind a door. What is behind it is missing, so who
// is let in is answered 500, or with what is wrong with the request.
func knock(op operation, d door) *http.Response {
	var h http.Handler = &manage.Handler{Auth: d}
	if op.String() == "POST "+ingest.Pattern {
		h = &ingest.Handler{Auth: d}
	}
	r := httptest.NewRequest(op.method, fill(op.path), nil)
	r.Header.Set("Authorization", "Bearer key")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// fill puts values that name nothing in a path's places.
func fill(path string) string {
	if strings.Contains(path, "/deliveries/") {
		path = strings.ReplaceAll(path, "{id}", "dlv_"+strings.Repeat("0", 32))
	}
	return strings.NewReplacer("{tenant}", "acme", "{id}", "missing", "{name}", "missing", "{key}", "missing", "{type}", "missing", "{subject}", "missing", "{file}", "licenses.md").Replace(path)
}

func TestKeysOpenWhatTheDescriptionSays(t *testing.T) {
	d := open(t, true)
	for _, op := range d.operations() {
		for name, role := range map[string]httpapi.Role{"publish": httpapi.Publish, "manage": httpapi.Manage, "portal": httpapi.Portal} {
			answer := knock(op, door{httpapi.Principal{Role: role, Tenant: "acme"}, true, nil})
			roles := op.roles()
			in := roles == nil || slices.Contains(roles, any(name))
			refused := answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusNotFound && !strings.Contains(op.path, "{tenant}")
			if refused == in {
				t.Errorf("%s with a %s key is answered %d; described for %v", op, name, answer.StatusCode, roles)
			}
			d.check(t, op.method, fill(op.path), answer)
		}
	}
}

func TestRefusalsAtTheDoorAreDescribed(t *testing.T) {
	d := open(t, true)
	for _, op := range d.operations() {
		if op.roles() == nil {
			continue
		}
		for _, tt := range []struct {
			door   door
			status int
		}{
			{door{}, 401},
			{door{httpapi.Principal{Role: httpapi.Manage, Tenant: "other"}, true, nil}, 404},
			{door{err: webhook.ErrBusy}, 503},
			{door{err: errors.New("the disk is full")}, 500},
		} {
			if tt.status == http.StatusNotFound && !strings.Contains(op.path, "{tenant}") {
				tt.status = http.StatusForbidden
			}
			answer := knock(op, tt.door)
			if answer.StatusCode != tt.status {
				t.Errorf("%s is answered %d, want %d", op, answer.StatusCode, tt.status)
			}
			d.check(t, op.method, fill(op.path), answer)
		}
	}
}
