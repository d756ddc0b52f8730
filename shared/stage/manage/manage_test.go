package manage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/egress"
	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/manage"
	"github.com/postino/postino/shared/webhook"
)

const adminKey = "test-admin-key"

// world is the API on a real store.
type world struct {
	*manage.Handler
	store *localstore.Store
	db    *engine.DB
	log   bytes.Buffer

	mu     sync.Mutex
	clock  time.Time
	sent   []message.Task
	refuse error // what Send returns
}

func open(t testing.TB) *world {
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
	w := &world{store: store, db: db, clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	w.Handler = &manage.Handler{
		Store: store, Resend: w, Secrets: sealer, Destinations: &egress.Guard{}, Auth: httpapi.NewAdminKey(adminKey),
		Backlogs: manage.Backlogs{Events: backlog(1), Deliveries: backlog(2), Retries: backlog(3)}, Version: "1.2.3", Now: w.now,
	}
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

// Send remembers what is asked for.
func (w *world) Send(_ context.Context, messages []queue.Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse != nil {
		return w.refuse
	}
	for _, m := range messages {
		a, err := message.DecodeAs[message.Task](m.Body)
		if err != nil {
			return err
		}
		if want := message.Queued(a, 0).Group; m.Group != want {
			return queue.ErrGroup
		}
		w.sent = append(w.sent, a)
	}
	return nil
}

// takeSent returns what was asked for since it was last called.
func (w *world) takeSent() []message.Task {
	w.mu.Lock()
	defer w.mu.Unlock()
	sent := w.sent
	w.sent = nil
	return sent
}

type backlog int

func (b backlog) Backlog(context.Context) (int, error) { return int(b), nil }

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("answer %d %s: %v", a.status, a.body, err)
	}
}

// get digs a value out of the answer.
func (a answer) get(t testing.TB, path ...string) any {
	t.Helper()
	var v any
	a.into(t, &v)
	for _, name := range path {
		object, ok := v.(map[string]any)
		if !ok {
			t.Fatalf("answer %d %s has no %v", a.status, a.body, path)
		}
		v = object[name]
	}
	return v
}

// fields are those that a problem names.
func (a answer) fields(t testing.TB) []string {
	t.Helper()
	var problem httpapi.Problem
	a.into(t, &problem)
	var fields []string
	for _, e := range problem.Errors {
		fields = append(fields, e.Field)
	}
	slices.Sort(fields)
	return fields
}

// do calls a path below /v1/tenants/acme, or an absolute one that begins
// with //.
func (w *world) do(t testing.TB, method, path, body string) answer {
	t.Helper()
	if absolute, ok := strings.CutPrefix(path, "//"); ok {
		path = "/" + absolute
	} else {
		path = "/v1/tenants/acme" + path
	}
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+adminKey)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return w.send(r)
}

func (w *world) send(r *http.Request) answer {
	recorder := httptest.NewRecorder()
	w.ServeHTTP(recorder, r)
	return answer{recorder.Code, recorder.Header(), recorder.Body.Bytes()}
}

// must calls and wants a status.
func (w *world) must(t testing.TB, status int, method, path, body string) answer {
	t.Helper()
	a := w.do(t, method, path, body)
	if a.status != status {
		t.Fatalf("%s %s = %d %s, want %d", method, path, a.status, a.body, status)
	}
	return a
}

// allowPrivate opens the guard to a network that names may lead to, by any
// scheme and port.
func (w *world) allowPrivate() {
	w.Destinations = &egress.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
}

// allowLoopback opens the guard as -egress-allow does.
func (w *world) allowLoopback() {
	w.Destinations = &egress.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
}

// head is how a subscription of acme stands in the store.
func (w *world) head(t testing.TB, id string) webhook.Head {
	t.Helper()
	heads, err := w.store.Heads(t.Context(), []webhook.SubscriptionRef{{Tenant: "acme", ID: id}})
	if err != nil {
		t.Fatal(err)
	}
	return heads[0]
}

func TestPathsAndMethods(t *testing.T) {
	w := open(t)
	for _, tt := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "//", 404, ""},
		{"GET", "//v1", 404, ""},
		{"GET", "//v2/tenants/acme/events", 404, ""},
		{"GET", "/nothing", 404, ""},
		{"GET", "/subscriptions/", 404, ""},
		{"GET", "/subscriptions/a/b/c", 404, ""},
		{"GET", "//v1/tenants/acme/../acme/events", 404, ""},
		{"DELETE", "/events", 405, "GET, HEAD, OPTIONS, POST"},
		{"POST", "/subscriptions/a", 405, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"},
		{"GET", "/subscriptions/a/pause", 405, "OPTIONS, POST"},
		{"PUT", "//healthz", 405, "GET, HEAD, OPTIONS"},
		{"OPTIONS", "/deliveries", 204, "GET, HEAD, OPTIONS"},
		{"GET", "//v1/tenants/UPPER/events", 422, ""},
		{"PUT", "//v1/tenants/-a", 422, ""},
		{"PUT", "//v1/tenants/postino", 403, ""},
		{"GET", "//v1/tenants/postino/events", 200, ""},
		{"PUT", "//v1/tenants/a", 201, ""},
		{"PUT", "//v1/tenants/a", 200, ""},
	} {
		got := w.do(t, tt.method, tt.path, "")
		if got.status != tt.status || got.header.Get("Allow") != tt.allow {
			t.Errorf("%s %s = %d, Allow %q, want %d, %q", tt.method, tt.path, got.status, got.header.Get("Allow"), tt.status, tt.allow)
		}
		if tt.status >= 400 {
			if got.header.Get("Content-Type") != "application/problem+json" || got.get(t, "title") == "" || got.get(t, "detail") == "" {
				t.Errorf("%s %s is answered by no problem document: %s", tt.method, tt.path, got.body)
			}
		}
	}
	if got := w.do(t, "HEAD", "/subscriptions", ""); got.status != 200 || len(got.body) > 0 || got.header.Get("Content-Length") == "" {
		t.Errorf("HEAD = %d with %d bytes", got.status, len(got.body))
	}
}

func TestEveryRouteButHealthNeedsTheKey(t *testing.T) {
	w := open(t)
	for _, path := range []string{
		"PUT /v1/tenants/acme", "GET /v1/tenants/acme/events", "GET /v1/tenants/acme/events/1", "POST /v1/tenants/acme/subscriptions",
		"GET /v1/tenants/acme/subscriptions", "GET /v1/tenants/acme/subscriptions/a", "PUT /v1/tenants/acme/subscriptions/a",
		"PATCH /v1/tenants/acme/subscriptions/a", "DELETE /v1/tenants/acme/subscriptions/a", "POST /v1/tenants/acme/subscriptions/a/pause",
		"POST /v1/tenants/acme/subscriptions/a/resume", "GET /v1/tenants/acme/subscriptions/a/secret", "GET /v1/tenants/acme/deliveries",
		"GET /v1/tenants/acme/deliveries/d", "POST /v1/tenants/acme/deliveries/d/retry", "POST /v1/tenants/acme/deliveries/d/cancel",
	} {
		method, path, _ := strings.Cut(path, " ")
		for _, key := range []string{"", "Bearer", "Bearer ", "Bearer wrong", "Basic " + adminKey, adminKey, "Bearer " + strings.Repeat("x", 1000)} {
			r := httptest.NewRequest(method, path, strings.NewReader(`{"url":"https://a.example"}`))
			r.Header.Set("Content-Type", "application/json")
			if key != "" {
				r.Header.Set("Authorization", key)
			}
			if got := w.send(r); got.status != 401 || got.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s with %.20q = %d", method, path, key, got.status)
			}
		}
	}
	if got := w.send(httptest.NewRequest("GET", "/healthz", nil)); got.status != 200 {
		t.Errorf("GET /healthz without a key = %d %s", got.status, got.body)
	}
}

func TestHealthTellsWhatWaits(t *testing.T) {
	w := open(t)
	for range 3 { // the same pointer
		if err := w.store.PutDue(t.Context(), webhook.Due{At: w.clock.Add(-time.Minute), Kind: webhook.DueRetry, Tenant: "acme", ID: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	got := w.must(t, 200, "GET", "//healthz", "")
	if want := `{"status":"ok","version":"1.2.3","backlog":{"events":1,"deliveries":2,"retries":3,"due":1},"swept_through":null}`; string(got.body) != want {
		t.Errorf("health %s, want %s", got.body, want)
	}
}

// Nothing else tells from outside that no sweep runs: what is due then is late,
// and whoever waits for it does not know when it should have come.
func TestHealthTellsHowFarSweepHasCome(t *testing.T) {
	w := open(t)
	if err := w.store.RaiseLowWater(t.Context(), time.Date(2026, 3, 1, 11, 40, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	got := w.must(t, 200, "GET", "//healthz", "")
	if want := `"swept_through":"2026-03-01T11:40:00.000Z"}`; !strings.HasSuffix(string(got.body), want) {
		t.Errorf("health %s, want it to end in %s", got.body, want)
	}
}

// probe counts how often it is asked.
type probe struct {
	asked int
	err   error
}

func (p *probe) Backlog(context.Context) (int, error) {
	p.asked++
	return 0, p.err
}

func TestHealthIsLookedAtOnceForManyWhoAsk(t *testing.T) {
	w := open(t)
	var p probe
	w.Backlogs.Events = &p
	for range 200 {
		w.must(t, 200, "GET", "//healthz", "")
	}
	if p.asked > 20 { // 200 answers take well below 20 seconds
		t.Errorf("200 health checks asked the queue %d times", p.asked)
	}
}

func TestHealthOfABrokenQueueIs503(t *testing.T) {
	w := open(t)
	w.Backlogs.Retries = &probe{err: context.DeadlineExceeded}
	if got := w.must(t, 503, "GET", "//healthz", ""); got.header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
}
