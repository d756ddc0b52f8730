package httpapi

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// held is a router whose handler reads the body and waits, so that requests
// are in hand together.
type held struct {
	router  *Router
	read    chan struct{} // gets a token for each body that was read
	release chan struct{}
	answers sync.WaitGroup
}

func newHeld(in *Intake) *held {
	h := &held{read: make(chan struct{}, 100), release: make(chan struct{})}
	h.router = NewRouter([]Route{{Method: "POST", Pattern: "/v1/tenants/{tenant}/x", Handle: func(r *Request) (Response, error) {
		r.Tenant = r.PathValue("tenant")
		if _, err := r.Read(); err != nil {
			return Response{}, err
		}
		h.read <- struct{}{}
		<-h.release
		return NoContent(), nil
	}}}, keys{}, nil)
	h.router.Intake = in
	return h
}

func (h *held) post(tenant string, body io.Reader) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.router.ServeHTTP(w, httptest.NewRequest("POST", "/v1/tenants/"+tenant+"/x", body))
	return w
}

// hold sends a request that stays in hand until the end.
func (h *held) hold(t *testing.T, tenant string, size int) {
	t.Helper()
	h.answers.Go(func() {
		if w := h.post(tenant, strings.NewReader(strings.Repeat("x", size))); w.Code != 204 {
			t.Errorf("a body of %d bytes is answered %d %s", size, w.Code, w.Body)
			h.read <- struct{}{}
		}
	})
	<-h.read
}

func (h *held) end() {
	close(h.release)
	h.answers.Wait()
}

func TestBodiesInHandAreBoundedTogetherAndByTenant(t *testing.T) {
	in := &Intake{Bytes: 100}
	h := newHeld(in)
	h.hold(t, "acme", 30)
	h.hold(t, "acme", 20)
	h.hold(t, "other", 45)
	for _, tt := range []struct {
		tenant string
		body   io.Reader
		status int
	}{
		{"acme", strings.NewReader("x"), 429},
		{"other", strings.NewReader("123456"), 429},
		{"third", strings.NewReader("123456"), 503},
		{"third", io.MultiReader(strings.NewReader("x")), 503}, // of no announced length
	} {
		w := h.post(tt.tenant, tt.body)
		var p Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != tt.status || p.Status != tt.status || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s is answered %d %s with Retry-After %q, want %d", tt.tenant, w.Code, w.Body, w.Header().Get("Retry-After"), tt.status)
		}
	}
	h.hold(t, "third", 5)
	h.end()
	if in.bytes != 0 || len(in.byTenant) != 0 {
		t.Errorf("%d bytes are still held, by %v", in.bytes, in.byTenant)
	}
}

func TestABodyAloneHasRoomWhateverItsSize(t *testing.T) {
	h := newHeld(&Intake{Bytes: 10})
	h.hold(t, "acme", 1000)
	h.end()
}

func TestTooManyRequestsAtATimeAreRefused(t *testing.T) {
	in := &Intake{Requests: 2}
	h := newHeld(in)
	bound := in.Bound(h.router)
	ask := func() int {
		w := httptest.NewRecorder()
		bound.ServeHTTP(w, httptest.NewRequest("POST", "/v1/tenants/acme/x", strings.NewReader("x")))
		if (w.Code == 503) != (w.Header().Get("Retry-After") != "") {
			t.Errorf("answered %d with Retry-After %q", w.Code, w.Header().Get("Retry-After"))
		}
		return w.Code
	}
	for range 2 {
		h.answers.Go(func() { ask() })
		<-h.read
	}
	if got := ask(); got != http.StatusServiceUnavailable {
		t.Errorf("the third request at a time is answered %d, want 503", got)
	}
	h.end()
	if got := ask(); got != http.StatusNoContent {
		t.Errorf("when the others have ended: %d, want 204", got)
	}
}

func TestAStoreThatCannotBeReachedIsBusy(t *testing.T) {
	refused := &url.Error{Op: "Post", URL: "http://dynamodb", Err: &net.OpError{Op: "dial", Err: io.EOF}}
	if p := problemOf(refused); p.Status != 503 || p.header.Get("Retry-After") == "" {
		t.Errorf("answered %v, want 503 with Retry-After", p)
	}
}

// One tenant with a known key fills its quarter of the slots, and no more.
func TestRequestsOfOneTenantTakeAQuarterOfTheSlots(t *testing.T) {
	in := &Intake{Requests: 8}
	held, release := make(chan struct{}), make(chan struct{})
	router := NewRouter(answering(func(r *Request) (Response, error) {
		if r.Method == "POST" {
			held <- struct{}{}
			<-release
		}
		return NoContent(), nil
	}), keys{}, nil)
	router.Intake = in
	handler := in.Bound(router)
	ask := func(method, tenant, key string) int {
		r := httptest.NewRequest(method, "/v1/tenants/"+tenant+"/x", nil)
		r.Header.Set("Authorization", "Bearer "+key)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code == 429 && w.Header().Get("Retry-After") != "1" {
			t.Errorf("Retry-After %q, want 1", w.Header().Get("Retry-After"))
		}
		return w.Code
	}
	var answers sync.WaitGroup
	for range 2 {
		answers.Go(func() { ask("POST", "acme", "manage") })
		<-held
	}
	for range 100 {
		if got := ask("GET", "acme", "manage"); got != 429 {
			t.Fatalf("one more of the same tenant = %d, want 429", got)
		}
	}
	if got := ask("GET", "other", "admin"); got != 204 {
		t.Errorf("one of another tenant = %d, want 204", got)
	}
	if got := ask("GET", "acme", "wrong"); got != 401 {
		t.Errorf("a stranger who names the tenant = %d, want 401", got)
	}
	close(release)
	answers.Wait()
	if got := ask("GET", "acme", "manage"); got != 204 {
		t.Errorf("one once the others were answered = %d, want 204", got)
	}
	if len(in.inside) != 0 {
		t.Errorf("%v are still counted, want nobody", in.inside)
	}
}
