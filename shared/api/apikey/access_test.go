package apikey_test

import (
	"cmp"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/api/apikey"
	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/egress"
	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/ingest"
	"github.com/postino/postino/shared/stage/manage"
	"github.com/postino/postino/shared/webhook"
)

const adminKey = "test-admin-key"

// world is the whole API on a real store.
type world struct {
	manage, ingest http.Handler
	log            strings.Builder
	clock          time.Time
}

func open(t *testing.T) *world {
	t.Helper()
	db, err := engine.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	store := localstore.In(db)
	sealer, err := secret.NewSealer(make([]byte, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	now := func() time.Time { return w.clock }
	log := newLog(&w.log)
	auth := &apikey.Authenticator{Admin: httpapi.NewAdminKey(adminKey), Store: store, Now: now}
	w.manage = &manage.Handler{
		Store: store, Resend: nowhere{}, Events: nowhere{}, Secrets: sealer, Destinations: &egress.Guard{}, Auth: auth, Now: now, Log: log,
		Backlogs: manage.Backlogs{Events: nowhere{}, Deliveries: nowhere{}, Retries: nowhere{}},
	}
	w.ingest = &ingest.Handler{Tenants: store, Events: nowhere{}, Auth: auth, Now: now, Log: log}
	return w
}

type nowhere struct{}

func (nowhere) Send(context.Context, []queue.Message) error { return nil }
func (nowhere) Backlog(context.Context) (int, error)        { return 0, nil }

const publishRoute = "POST /v1/tenants/{tenant}/events"

// call makes a request of a route with a key, to a tenant.
func (w *world) call(route, tenant, key, body string) *httptest.ResponseRecorder {
	method, path, _ := strings.Cut(route, " ")
	path = strings.NewReplacer("{tenant}", tenant, "{id}", "x", "{name}", "x", "{key}", "x", "{type}", "x", "{subject}", "x").Replace(path)
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	if route == publishRoute {
		w.ingest.ServeHTTP(recorder, r)
	} else {
		w.manage.ServeHTTP(recorder, r)
	}
	return recorder
}

const all = "admin manage portal publish"

// mayCall says, in the words of the contract, whose keys a route takes.
func mayCall(route string) []string {
	path := strings.TrimPrefix(route[strings.Index(route, " ")+1:], "/v1/tenants/{tenant}")
	begins := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(path, p) })
	}
	switch {
	case path == "/portal-links":
		return strings.Fields("admin manage")
	case begins("/healthz", "/openapi", "/docs", "/console", "/portal"):
		return strings.Fields(all + " unknown")
	case route == publishRoute:
		return strings.Fields("admin manage publish")
	case begins("/keys", "/v1/") || path == "":
		return strings.Fields("admin")
	case strings.Contains(path, "/state/"), strings.HasSuffix(path, "/stop"), strings.HasPrefix(path, "/jobs/{id}/"), strings.HasSuffix(path, "/results"),
		strings.HasSuffix(path, "/pull"), strings.HasSuffix(path, "/ack"), strings.HasSuffix(path, "/nack"), path == "/preview/batch", path == "/deliveries/cancel", path == "/subscriptions/import":
		return strings.Fields("admin manage")
	case begins("/subscriptions", "/deliveries", "/preview", "/jobs"):
		return strings.Fields("admin manage portal")
	}
	return strings.Fields("admin manage")
}

// create makes a key by the API and returns it with its id.
func (w *world) create(t *testing.T, tenant, body string) (key, id string) {
	t.Helper()
	return newKey(t, w.call("POST /v1/tenants/{tenant}/keys", tenant, adminKey, body))
}

// Every route × every kind of key × own and foreign tenant.
func TestEachKeyOpensTheRoutesOfItsRoleInItsTenantOnly(t *testing.T) {
	w := open(t)
	keys := map[string]string{"admin": adminKey, "unknown": "pk_" + strings.Repeat("a", 32) + "_acme"}
	for _, role := range []string{"manage", "portal", "publish"} {
		keys[role], _ = w.create(t, "acme", `{"role":"`+role+`"}`)
	}
	expired, _ := w.create(t, "acme", `{"role":"manage","expires_in":"1s"}`)
	w.clock = w.clock.Add(time.Second)
	revoked, id := w.create(t, "acme", `{"role":"manage"}`)
	if got := w.call("DELETE /v1/tenants/{tenant}/keys/"+id, "acme", adminKey, ""); got.Code != 204 {
		t.Fatalf("revoke = %d %s", got.Code, got.Body)
	}
	routes := manage.Routes()
	if !slices.Contains(routes, publishRoute) || len(routes) < 25 {
		t.Fatalf("routes %q, want all of the API", routes)
	}
	for _, route := range routes {
		may, open := mayCall(route), slices.Contains(mayCall(route), "unknown")
		for kind, key := range keys {
			got := w.call(route, "acme", key, "")
			switch allowed := slices.Contains(may, kind); {
			case allowed && (got.Code == 401 || got.Code == 403 || strings.Contains(got.Body.String(), `"code":"tenant_not_found"`)):
				t.Errorf("%s with a %s key = %d %s, want it served", route, kind, got.Code, got.Body)
			case !allowed && kind == "unknown" && got.Code != 401:
				t.Errorf("%s with an unknown key = %d, want 401", route, got.Code)
			case !allowed && kind != "unknown" && got.Code != 403:
				t.Errorf("%s with a %s key = %d %s, want 403", route, kind, got.Code, got.Body)
			case got.Code == 403:
				wantRoles(t, route, kind, got.Body.String())
			}
			if foreign := w.call(route, "other", key, ""); !open && strings.Contains(route, "{tenant}") && kind != "admin" {
				wantForeign(t, route, kind, foreign)
			}
		}
		for kind, key := range map[string]string{"expired": expired, "revoked": revoked} {
			if got := w.call(route, "acme", key, ""); !open && got.Code != 401 {
				t.Errorf("%s with a key that is %s = %d, want 401", route, kind, got.Code)
			}
		}
	}
	for _, key := range append([]string{expired, revoked}, keys["manage"], keys["portal"], keys["publish"]) {
		if strings.Contains(w.log.String(), key) || strings.Contains(w.log.String(), key[3:35]) {
			t.Error("a key stands in the log")
		}
	}
}

// wantRoles holds that a refusal says whose keys would be taken.
func wantRoles(t *testing.T, route, kind, body string) {
	t.Helper()
	var roles []string
	for _, role := range mayCall(route) {
		if role != "admin" {
			roles = append(roles, role)
		}
	}
	want := "This request needs the admin key."
	if len(roles) > 0 {
		slices.SortFunc(roles, func(a, b string) int { return cmp.Compare(order[a], order[b]) })
		want = "This request needs a key of the role " + strings.Join(roles, " or ") + ", or the admin key."
	}
	if want = "This key's role is " + kind + ". " + want; !strings.Contains(body, want) {
		t.Errorf("%s with a %s key: %s, want %q", route, kind, body, want)
	}
}

// order of roles in a refusal.
var order = map[string]int{"publish": 1, "portal": 2, "manage": 3}

// wantForeign holds that a known key learns nothing of another tenant, and an
// unknown one nothing at all.
func wantForeign(t *testing.T, route, kind string, got *httptest.ResponseRecorder) {
	t.Helper()
	want := `{"type":"https://github.com/postino/postino/blob/main/docs/errors.md#tenant_not_found","title":"Not Found","status":404,"code":"tenant_not_found","detail":"The tenant does not exist, or the key belongs to another tenant."}`
	if kind == "unknown" {
		want = `{"type":"https://github.com/postino/postino/blob/main/docs/errors.md#key_unknown","title":"Unauthorized","status":401,"code":"key_unknown","detail":"The key does not exist, was deleted, or has expired."}`
	}
	if got.Body.String() != want {
		t.Errorf("%s of another tenant with a %s key = %d %s, want %s", route, kind, got.Code, got.Body, want)
	}
}

func TestARevokedKeyIsRefusedOnTheNextRequest(t *testing.T) {
	w := open(t)
	const event = `{"type":"a","data":1}`
	key, id := w.create(t, "acme", `{"role":"publish","name":"shop"}`)
	for range 3 {
		if got := w.call(publishRoute, "acme", key, event); got.Code != 202 {
			t.Fatalf("publish = %d %s", got.Code, got.Body)
		}
	}
	w.call("DELETE /v1/tenants/{tenant}/keys/"+id, "acme", adminKey, "")
	if got := w.call(publishRoute, "acme", key, event); got.Code != 401 || got.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("publish with a revoked key = %d %s", got.Code, got.Body)
	}
	if got := w.call("DELETE /v1/tenants/{tenant}/keys/"+id, "acme", adminKey, ""); got.Code != 404 {
		t.Errorf("revoke again = %d", got.Code)
	}
}

func TestAKeyOfOneTenantCannotBeRevokedInAnother(t *testing.T) {
	w := open(t)
	key, id := w.create(t, "acme", `{"role":"manage"}`)
	w.create(t, "other", `{"role":"manage"}`)
	if got := w.call("DELETE /v1/tenants/{tenant}/keys/"+id, "other", adminKey, ""); got.Code != 404 {
		t.Errorf("revoke in another tenant = %d", got.Code)
	}
	if got := w.call("GET /v1/tenants/{tenant}/events", "acme", key, ""); got.Code != 200 {
		t.Errorf("with the key = %d %s", got.Code, got.Body)
	}
	if got := w.call("GET /v1/tenants/{tenant}/keys", "other", adminKey, ""); strings.Contains(got.Body.String(), id) {
		t.Errorf("listed among another tenant's: %s", got.Body)
	}
}

func TestKeyRequestsAreReadStrictly(t *testing.T) {
	w := open(t)
	for _, tt := range []struct {
		body   string
		status int
		names  string // in the answer
	}{
		{`{`, 400, ""},
		{`[]`, 422, `"body"`},
		{`{}`, 422, `"role"`},
		{`{"role":"admin"}`, 422, `"role"`},
		{`{"role":1}`, 422, `"role"`},
		{`{"role":"manage","name":"a\u0000b"}`, 422, `"name"`},
		{`{"role":"manage","name":"` + strings.Repeat("é", 129) + `"}`, 422, `"name"`},
		{`{"role":"manage","expires_in":"1ms"}`, 422, `"expires_in"`},
		{`{"role":"manage","expires_in":"3651d"}`, 422, `"expires_in"`},
		{`{"role":"manage","expires_in":"1w"}`, 422, `"expires_in"`},
		{`{"role":"manage","key":"mine"}`, 422, `"key"`},
		{`{"role":"manage","name":"` + strings.Repeat("é", 128) + `","expires_in":"3650d"}`, 201, `"expires_at":"2036-02-27T12:00:00.000Z"`},
		{`{"role":"portal"}`, 201, `"expires_at":null`},
	} {
		got := w.call("POST /v1/tenants/{tenant}/keys", "acme", adminKey, tt.body)
		if got.Code != tt.status || !strings.Contains(got.Body.String(), tt.names) {
			t.Errorf("POST %.60s = %d %s, want %d with %s", tt.body, got.Code, got.Body, tt.status, tt.names)
		}
	}
	if got := w.call("POST /v1/tenants/{tenant}/keys", "postino", adminKey, `{"role":"publish"}`); got.Code != 403 {
		t.Errorf("a key of the reserved tenant = %d", got.Code)
	}
}

func TestAListShowsNoKey(t *testing.T) {
	w := open(t)
	key, id := w.create(t, "acme", `{"role":"publish","name":"shop"}`)
	got := w.call("GET /v1/tenants/{tenant}/keys", "acme", adminKey, "").Body.String()
	want := `{"data":[{"id":"` + id + `","role":"publish","name":"shop","created_at":"2026-03-01T12:00:00.000Z","expires_at":null}],"next_cursor":null}`
	if got != want || strings.Contains(got, key[3:35]) {
		t.Errorf("list %s, want %s", got, want)
	}
	again, other := w.create(t, "acme", `{"role":"publish","name":"shop"}`)
	if again == key || other == id {
		t.Error("two keys are the same")
	}
}

func TestAnAdminKeyMayLookLikeATenants(t *testing.T) {
	w, odd := open(t), "pk_"+strings.Repeat("b", 32)+"_acme"
	auth := &apikey.Authenticator{Admin: httpapi.NewAdminKey(odd), Store: none{}, Now: func() time.Time { return w.clock }}
	if p, known, err := auth.Authenticate(t.Context(), "other", odd); p.Role != httpapi.Admin || !known || err != nil {
		t.Errorf("admin key = %+v, %t, %v", p, known, err)
	}
}

type none struct{}

func (none) Key(context.Context, string, string) (webhook.Key, error) {
	return webhook.Key{}, webhook.ErrNotFound
}
