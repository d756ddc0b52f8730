package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// keys know one key of each role, all of tenant acme but the admin's.
type keys struct{ down error }

func (k keys) Authenticate(_ context.Context, tenant, key string) (Principal, bool, error) {
	roles := map[string]Role{"publish": Publish, "portal": Portal, "manage": Manage}
	switch role, ok := roles[key]; {
	case key == "admin":
		return Principal{Role: Admin}, true, k.down
	case ok:
		return Principal{Role: role, Tenant: "acme"}, true, k.down
	}
	return Principal{}, false, k.down
}

// serve calls a router of these routes with the admin's key, unless headers
// say otherwise.
func serve(routes []Route, auth Authenticator, log *slog.Logger, r *http.Request) *httptest.ResponseRecorder {
	if r.Header.Get("Authorization") == "" {
		r.Header.Set("Authorization", "Bearer admin")
	}
	w := httptest.NewRecorder()
	NewRouter(routes, auth, log).ServeHTTP(w, r)
	return w
}

func answering(handle func(*Request) (Response, error)) []Route {
	return []Route{{Method: "GET", Pattern: "/v1/tenants/{tenant}/x", Roles: Manage, Handle: handle}, {Method: "POST", Pattern: "/v1/tenants/{tenant}/x", Roles: Manage, Handle: handle}}
}

func get() *http.Request { return httptest.NewRequest("GET", "/v1/tenants/acme/x", nil) }

func TestRolesAreAlternatives(t *testing.T) {
	ok := func(*Request) (Response, error) { return NoContent(), nil }
	for _, tt := range []struct {
		route  Role
		tenant string
		want   string // statuses for admin, publish, portal, manage
	}{
		{Publish, "acme", "204 204 403 403"},
		{Publish | Manage, "acme", "204 204 403 204"},
		{Portal | Manage, "acme", "204 403 204 204"},
		{Manage, "acme", "204 403 403 204"},
		{Admin, "acme", "204 403 403 403"},
		{Publish | Portal | Manage, "other", "204 404 404 404"},
		{Anyone, "acme", "204 204 204 204"},
	} {
		var got []string
		for _, key := range []string{"admin", "publish", "portal", "manage"} {
			r := httptest.NewRequest("GET", "/v1/tenants/"+tt.tenant+"/x", nil)
			r.Header.Set("Authorization", "Bearer "+key)
			routes := []Route{{Method: "GET", Pattern: "/v1/tenants/{tenant}/x", Roles: tt.route, Handle: ok}}
			got = append(got, fmt.Sprint(serve(routes, keys{}, nil, r).Code))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("roles %b in %s: %v, want %s", tt.route, tt.tenant, got, tt.want)
		}
	}
}

func TestAdminKeyKnowsOnlyItself(t *testing.T) {
	admin := NewAdminKey("k")
	for key, want := range map[string]bool{"k": true, "K": false, "kk": false, "": false} {
		p, known, err := admin.Authenticate(t.Context(), "acme", key)
		if known != want || err != nil || known && p.Role != Admin {
			t.Errorf("key %q is known: %t", key, known)
		}
	}
	if _, known, _ := (AdminKey{}).Authenticate(t.Context(), "", ""); known {
		t.Error("the zero AdminKey knows the empty key")
	}
}

func TestErrorsAreAnsweredWithoutOurInternals(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
	}{
		{fmt.Errorf("read secret-table: %w", webhook.ErrNotFound), 404},
		{fmt.Errorf("read secret-table: %w", webhook.ErrBusy), 503},
		{fmt.Errorf("send secret-queue: %w", queue.ErrBusy), 503},
		{fmt.Errorf("read secret-table: %w", context.DeadlineExceeded), 503},
		{errors.New("secret-table: AccessDenied"), 500},
		{SubscriptionExists.Problem("is taken").Because(errors.New("secret-table")), 409},
		{fmt.Errorf("secret: %w", RoleNotAllowed.Problem("no")), 403},
	} {
		var log bytes.Buffer
		w := serve(answering(func(*Request) (Response, error) { return Response{}, tt.err }), keys{}, slog.New(slog.NewJSONHandler(&log, nil)), get())
		if w.Code != tt.status || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%v is answered %d %s, want %d", tt.err, w.Code, w.Body, tt.status)
		}
		if (w.Code == 503) != (w.Header().Get("Retry-After") != "") {
			t.Errorf("%v: Retry-After %q with %d", tt.err, w.Header().Get("Retry-After"), w.Code)
		}
		if logged := strings.Contains(log.String(), "secret"); logged != (tt.status >= 500) {
			t.Errorf("%v: the log says %s", tt.err, log.String())
		}
	}
}

func TestPanicIsABare500(t *testing.T) {
	var log bytes.Buffer
	w := serve(answering(func(*Request) (Response, error) { panic("secret detail") }), keys{}, slog.New(slog.NewJSONHandler(&log, nil)), get())
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "secret detail") || !strings.Contains(log.String(), "httpapi_test.go") {
		t.Errorf("the log lacks cause or stack: %s", log.String())
	}
}

func TestKeysThatCannotBeLookedUpAreOurFault(t *testing.T) {
	w := serve(answering(nil), keys{}, nil, get())
	if w.Code != 405 {
		t.Errorf("a route served elsewhere = %d", w.Code)
	}
	ok := func(*Request) (Response, error) { return NoContent(), nil }
	if w := serve(answering(ok), keys{down: webhook.ErrBusy}, nil, get()); w.Code != 503 {
		t.Errorf("keys that cannot be read = %d, want 503", w.Code)
	}
}

func TestHandlersHaveADeadline(t *testing.T) {
	serve(answering(func(r *Request) (Response, error) {
		if deadline, ok := r.Context().Deadline(); !ok || time.Until(deadline) > handlerTimeout {
			t.Errorf("deadline %v, %t", deadline, ok)
		}
		return NoContent(), nil
	}), keys{}, nil, get())
}

func TestAcceptedWritesAreLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	handle := func(r *Request) (Response, error) {
		r.Note(slog.Int("events", 3))
		return OK("x"), nil
	}
	serve(answering(handle), keys{}, logger, get())
	if log.Len() > 0 {
		t.Errorf("a read is logged: %s", log.String())
	}
	serve(answering(handle), keys{}, logger, httptest.NewRequest("POST", "/v1/tenants/acme/x", strings.NewReader("body")))
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("%s: %v", log.String(), err)
	}
	if line["tenant"] != "acme" || line["events"] != 3.0 || line["status"] != 200.0 || line["route"] != "POST /v1/tenants/{tenant}/x" {
		t.Errorf("line %v", line)
	}
}

func TestFaultsAreBoundedAndNamedOnce(t *testing.T) {
	var faults Faults
	if faults.Err() != nil {
		t.Error("no faults are an error")
	}
	for i := range 1000 {
		faults.Add(fmt.Sprintf("[%d]", i/2), "wrong")
	}
	var p *Problem
	if !errors.As(faults.Err(), &p) || len(p.Errors) != maxFaults || p.Errors[1].Field != "[1]" {
		t.Errorf("%d faults, second %+v", len(p.Errors), p.Errors[1])
	}
}

func TestUnknownQueryNamesAreCutShort(t *testing.T) {
	r := httptest.NewRequest("GET", "/v1/tenants/acme/x?"+strings.Repeat("é", 5000)+"=1", nil)
	w := serve(answering(func(*Request) (Response, error) { return NoContent(), nil }), keys{}, nil, r)
	if w.Code != 422 || w.Body.Len() > 1000 {
		t.Errorf("answer %d with %d bytes", w.Code, w.Body.Len())
	}
}

func TestTimesAreShownInMilliseconds(t *testing.T) {
	for want, at := range map[string]time.Time{
		`null`:                       {},
		`"2026-03-01T12:00:00.000Z"`: time.Date(2026, 3, 1, 13, 0, 0, 0, time.FixedZone("", 3600)),
		`"2026-03-01T12:00:00.120Z"`: time.Date(2026, 3, 1, 12, 0, 0, 12e7, time.UTC),
		`"2026-03-01T12:00:01.000Z"`: time.Date(2026, 3, 1, 12, 0, 1, 1, time.UTC),
	} {
		if got := string(Encode(Time(at))); got != want {
			t.Errorf("%v is shown as %s, want %s", at, got, want)
		}
	}
}

func TestBodyThatBreaksOffIs400(t *testing.T) {
	r := httptest.NewRequest("POST", "/v1/tenants/acme/x", &brokenBody{})
	r.Header.Set("Content-Type", "application/json")
	w := serve(answering(func(r *Request) (Response, error) {
		_, err := r.JSON()
		return OK(nil), err
	}), keys{}, nil, r)
	if w.Code != 400 {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestCursorsAreOfOneList(t *testing.T) {
	scope := webhook.Hash(scopeBytes, "cursor", "a")
	other := webhook.Hash(scopeBytes, "cursor", "b")
	for _, position := range []string{"1", "\x00\xff", "position of any kind / ?"} {
		cursor := encodeCursor(scope, position)
		if got, ok := decodeCursor(cursor, scope); !ok || got != position {
			t.Errorf("cursor of %q gives %q, %t", position, got, ok)
		}
		if _, ok := decodeCursor(cursor, other); ok {
			t.Errorf("cursor of %q is taken by another list", position)
		}
	}
}

func TestCursorIsBoundToPathAndFilters(t *testing.T) {
	routes := []Route{{Method: "GET", Pattern: "/v1/tenants/{tenant}/{list}", Roles: Manage, Query: append(TimeQuery, "type"), Handle: func(r *Request) (Response, error) {
		l, err := r.Listing()
		return OK(l.Next([]string{l.Page.Position}, "here")), err
	}}}
	call := func(target string) (status int, list struct {
		Data []string
		Next string `json:"next_cursor"`
	}) {
		w := serve(routes, keys{}, nil, httptest.NewRequest("GET", target, nil))
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
		return w.Code, list
	}
	const first = "/v1/tenants/acme/events?type=a&limit=5"
	_, list := call(first)
	for target, want := range map[string]int{
		first:                                                       200,
		"/v1/tenants/acme/events?limit=9&type=a":                    200,
		"/v1/tenants/other/events?type=a":                           400,
		"/v1/tenants/acme/deliveries?type=a":                        400,
		"/v1/tenants/acme/events?type=b":                            400,
		"/v1/tenants/acme/events?type=a&order=asc":                  400,
		"/v1/tenants/acme/events?type=a&after=2026-03-01T12:00:00Z": 400,
		"/v1/tenants/acme/events?limit=5":                           400,
	} {
		status, page := call(target + "&cursor=" + list.Next)
		if status != want || want == 200 && !slices.Equal(page.Data, []string{"here"}) {
			t.Errorf("%s with the cursor of another = %d from %v, want %d", target, status, page.Data, want)
		}
	}
}

func TestEmptyParametersOfListsAreWrong(t *testing.T) {
	routes := []Route{{Method: "GET", Pattern: "/v1/tenants/{tenant}/events", Roles: Manage, Query: TimeQuery, Handle: func(r *Request) (Response, error) {
		l, err := r.Listing()
		return OK(l.Next([]string{}, "")), err
	}}}
	for query, want := range map[string]int{
		"": 200, "cursor=": 200, "limit=": 422, "order=": 422, "after=": 422, "before=": 422,
	} {
		w := serve(routes, keys{}, nil, httptest.NewRequest("GET", "/v1/tenants/acme/events?"+query, nil))
		if w.Code != want {
			t.Errorf("%q is answered %d %s, want %d", query, w.Code, w.Body, want)
		}
	}
}

// FuzzCursor holds that a cursor is taken only if we made it for this list.
func FuzzCursor(f *testing.F) {
	scope := webhook.Hash(scopeBytes, "cursor", "a")
	for _, seed := range []string{"", "x", encodeCursor(scope, "p"), encodeCursor("other", "p"), encodeCursor(scope, "p") + "=", "MQ", strings.Repeat("A", 3000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		position, ok := decodeCursor(text, scope)
		if ok && (position == "" || encodeCursor(scope, position) != text) {
			t.Errorf("%q is taken as position %q, which is written %q", text, position, encodeCursor(scope, position))
		}
	})
}

// FuzzRequest holds that no head makes anything but an answer of the contract.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/v1/tenants/acme/x?limit=5&order=asc", "Bearer admin", "application/json", []byte(`{}`))
	f.Add("POST", "/v1/tenants/acme/x", "bearer  manage", "application/json; charset=utf-8", []byte(`{"a":1}`))
	f.Add("HEAD", "/v1//tenants/%2e%2e/x?%zz", "Basic x", "text/plain", []byte(nil))
	f.Add("OPTIONS", "/v1/tenants/a%2fb/x?after=2026-03-01T12:00:00Z", "", "a/b; c=\"d", []byte(`[`))
	f.Add("BREW", "/v1/tenants/acme/x?cursor=abc&cursor=def", "Bearer portal", "", []byte("\xff"))
	handle := func(r *Request) (Response, error) {
		if r.Method == http.MethodPost {
			v, err := r.JSON()
			return OK(Encoded(v)), err
		}
		_, err := r.Listing()
		return OK("x"), err
	}
	routes := answering(handle)
	for i := range routes {
		routes[i].Query = TimeQuery
	}
	router := NewRouter(routes, keys{}, nil)
	known := []int{200, 204, 400, 401, 403, 404, 405, 413, 415, 422}
	f.Fuzz(func(t *testing.T, method, target, authorization, content string, body []byte) {
		r, err := http.NewRequest(method, "http://postino"+target, bytes.NewReader(body))
		if err != nil {
			return
		}
		r.Header.Set("Authorization", authorization)
		r.Header.Set("Content-Type", content)
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
		if !slices.Contains(known, w.Code) {
			t.Fatalf("answer %d %s", w.Code, w.Body)
		}
		if w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
			t.Errorf("answer %d is not JSON: %q", w.Code, w.Body)
		}
	})
}
