package ingest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/ingest"
	"github.com/postino/postino/shared/webhook"
)

const adminKey = "test-admin-key"

var clock = time.Date(2026, 3, 1, 12, 0, 0, 123_456_789, time.UTC)

// outside stands for storage and queue, and remembers what reached them.
type outside struct {
	mu       sync.Mutex
	tenants  []string
	messages []queue.Message

	refuse func([]queue.Message) error // what Send returns; nil takes all
	ensure error
	list   error // what PageTenants returns
}

func (o *outside) EnsureTenant(_ context.Context, tenant string) (created bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	created = o.ensure == nil && tenant != "acme" && !slices.Contains(o.tenants, tenant)
	o.tenants = append(o.tenants, tenant)
	return created, o.ensure
}

func (o *outside) PageTenants(_ context.Context, page webhook.Page) ([]string, string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	names := append([]string{"acme"}, o.tenants...)
	return names[:min(page.Limit, len(names))], "", o.list
}

// FindTenant finds acme, and those that were ensured.
func (o *outside) FindTenant(_ context.Context, tenant string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if tenant == "acme" || slices.Contains(o.tenants, tenant) {
		return o.ensure
	}
	return webhook.ErrNotFound
}

func (o *outside) Send(_ context.Context, messages []queue.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.messages = append(o.messages, messages...)
	if o.refuse != nil {
		return o.refuse(messages)
	}
	return nil
}

// events returns what the queued packs hold.
func (o *outside) events(t testing.TB) []webhook.Event {
	t.Helper()
	var events []webhook.Event
	for _, m := range o.messages {
		p, err := message.DecodeAs[message.Pack](m.Body)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, p.Events...)
	}
	return events
}

func (o *outside) handler() *ingest.Handler {
	return &ingest.Handler{Tenants: o, Events: o, Auth: httpapi.NewAdminKey(adminKey), Now: func() time.Time { return clock }}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte

	ID       string   `json:"id"`
	IDs      []string `json:"ids"`
	Title    string   `json:"title"`
	Type     string   `json:"type"`
	Code     string   `json:"code"`
	Status   int      `json:"status"`
	Detail   string   `json:"detail"`
	Accepted []string `json:"accepted"`
	Errors   []httpapi.FieldError
}

func (a answer) fields() []string {
	var fields []string
	for _, e := range a.Errors {
		fields = append(fields, e.Field)
	}
	slices.Sort(fields)
	return fields
}

func post(t testing.TB, h http.Handler, body string, headers ...string) answer {
	t.Helper()
	return do(t, h, "POST", "/v1/tenants/acme/events", body, headers...)
}

// do sends a request; headers are names and values in turn, and an empty value
// removes one.
func do(t testing.TB, h http.Handler, method, path, body string, headers ...string) answer {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+adminKey)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		if r.Header.Del(headers[i]); headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return send(t, h, r)
}

func send(t testing.TB, h http.Handler, r *http.Request) answer {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header(), body: w.Body.Bytes()}
	if len(a.body) > 0 {
		if err := json.Unmarshal(a.body, &a); err != nil {
			t.Fatalf("answer %d %q: %v", a.status, a.body, err)
		}
	}
	return a
}
