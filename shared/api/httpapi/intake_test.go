package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
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

// TestBodiesInHandAreBoundedByWhatIsLeftFree: one tenant holds half, the next a
// quarter, and there is always something for whoever holds nothing.
func TestBodiesInHandAreBoundedByWhatIsLeftFree(t *testing.T) {
	const unit = firstRoom // what a body of no announced length takes at first
	in := &Intake{Bytes: 10 * unit}
	h := newHeld(in)
	h.hold(t, "acme", 3*unit-1)
	h.hold(t, "acme", 2*unit-1)
	h.hold(t, "other", 2*unit-1)
	for _, tt := range []struct {
		tenant string
		size   int
		status int
	}{
		{"acme", 1, 429},
		{"other", unit, 503},     // it has no more than its even share
		{"third", 2 * unit, 503}, // for one that holds nothing a little is left
		{"third", -1, 204},
	} {
		body := io.Reader(strings.NewReader(strings.Repeat("x", max(tt.size, 0))))
		if tt.size < 0 { // of no announced length
			h.hold(t, tt.tenant, 1)
			continue
		}
		w := h.post(tt.tenant, body)
		var p Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != tt.status || p.Status != tt.status || w.Header().Get("Retry-After") == "" {
			t.Errorf("%d bytes of %s are answered %d %s with Retry-After %q, want %d", tt.size, tt.tenant, w.Code, w.Body, w.Header().Get("Retry-After"), tt.status)
		}
	}
	h.end()
	if in.bytes.held != 0 || len(in.bytes.byTenant) != 0 {
		t.Errorf("%d bytes are still held, by %v", in.bytes.held, in.bytes.byTenant)
	}
}

// TestABodyThatDoesNotComeHoldsItsOwnBytes: what is announced and not sent is
// nobody's.
func TestABodyThatDoesNotComeHoldsItsOwnBytes(t *testing.T) {
	in := &Intake{Bytes: 64 * firstRoom}
	h := newHeld(in)
	const some = 5 * firstRoom
	for _, announced := range []int64{4 << 20, -1} {
		in.Bytes = 8 << 20
		sent, rest := io.Pipe()
		r := httptest.NewRequest("POST", "/v1/tenants/acme/x", io.NopCloser(sent))
		r.ContentLength = announced
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.router.ServeHTTP(httptest.NewRecorder(), r)
		}()
		for range some {
			if _, err := rest.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		in.mu.Lock()
		held := in.bytes.held
		in.mu.Unlock()
		if held < some || held > 2*some+firstRoom {
			t.Errorf("%d bytes of a body of %d hold %d", some, announced, held)
		}
		rest.CloseWithError(io.ErrUnexpectedEOF)
		<-done
	}
	if in.bytes.held != 0 {
		t.Errorf("%d bytes are still held", in.bytes.held)
	}
}

// TestASlowUploadEnds: a body that stops, and one that trickles, are answered
// 408 in the time that the rate allows; one at the rate is taken.
func TestASlowUploadEnds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		every  time.Duration
		chunk  int
		status int
		within time.Duration
	}{
		{"stops", time.Hour, 1, 408, bodyGrace + time.Second},
		{"trickles", 2 * time.Second, 1, 408, bodyGrace + time.Second},
		{"comes at the rate", time.Second, bodyRate, 204, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHeld(&Intake{})
				close(h.release)
				ours, theirs := net.Pipe()
				server := &http.Server{Handler: h.router}
				go server.Serve(oneConnection(theirs))
				began, length := time.Now(), 1<<20
				go func() {
					fmt.Fprintf(ours, "POST /v1/tenants/acme/x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", length)
					for range length / tt.chunk {
						if _, err := ours.Write(bytes.Repeat([]byte("x"), tt.chunk)); err != nil {
							return
						}
						time.Sleep(tt.every)
					}
				}()
				answer, err := http.ReadResponse(bufio.NewReader(ours), nil)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); answer.StatusCode != tt.status || took > tt.within {
					t.Errorf("answered %d after %v, want %d within %v", answer.StatusCode, took, tt.status, tt.within)
				}
				ours.Close()
				server.Close()
				time.Sleep(2 * time.Hour) // until the sender, too, has noticed
			})
		})
	}
}

// oneConnection is a listener that accepts the connection and no other.
func oneConnection(c net.Conn) net.Listener {
	l := &single{accept: make(chan net.Conn, 1), address: c.LocalAddr(), ended: make(chan struct{})}
	l.accept <- c
	return l
}

type single struct {
	accept  chan net.Conn
	address net.Addr
	ended   chan struct{}
	once    sync.Once
}

func (l *single) Accept() (net.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.ended:
		return nil, net.ErrClosed
	}
}

func (l *single) Addr() net.Addr { return l.address }

func (l *single) Close() error {
	l.once.Do(func() { close(l.ended) })
	return nil
}

func TestABodyAloneHasRoomWhateverItsSize(t *testing.T) {
	h := newHeld(&Intake{Bytes: 10})
	h.hold(t, "acme", 1000)
	h.end()
}

// TestRequestsAtATimeAreBoundedByWhatIsLeftFree counts those that bring a key.
func TestRequestsAtATimeAreBoundedByWhatIsLeftFree(t *testing.T) {
	var admitted atomic.Int64
	in := &Intake{Requests: 32, Admitted: func(context.Context) { admitted.Add(1) }}
	read, release := make(chan struct{}, 100), make(chan struct{})
	router := NewRouter([]Route{
		{Method: "GET", Pattern: "/v1/tenants/{tenant}/x", Roles: Manage, Handle: func(*Request) (Response, error) {
			read <- struct{}{}
			<-release
			return NoContent(), nil
		}},
		{Method: "GET", Pattern: "/open", Handle: func(*Request) (Response, error) { return NoContent(), nil }},
	}, keys{}, nil)
	router.Intake = in
	ask := func(key, path string) int {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)
		if key != "" {
			r.Header.Set("Authorization", "Bearer "+key)
		}
		router.ServeHTTP(w, r)
		if (w.Code == 503 || w.Code == 429) != (w.Header().Get("Retry-After") != "") {
			t.Errorf("answered %d with Retry-After %q", w.Code, w.Header().Get("Retry-After"))
		}
		return w.Code
	}
	var answers sync.WaitGroup
	hold := func(tenant string, n int) {
		for range n {
			answers.Go(func() {
				if got := ask("admin", "/v1/tenants/"+tenant+"/x"); got != 204 {
					t.Errorf("a request of %s is answered %d, want 204", tenant, got)
					read <- struct{}{}
				}
			})
			<-read
		}
	}
	hold("greedy", 8)
	if got := ask("admin", "/v1/tenants/greedy/x"); got != 429 {
		t.Errorf("one more than a quarter is answered %d, want 429", got)
	}
	hold("second", 8)
	hold("third", 8)
	hold("fourth", 4)
	if got := ask("admin", "/v1/tenants/fourth/x"); got != 503 {
		t.Errorf("one more of a tenant that has as many as are left is answered %d, want 503", got)
	}
	hold("fifth", 1)
	for path, want := range map[string]int{"/open": 204, "/v1/tenants/acme/x": 401} {
		if got := ask("", path); got != want {
			t.Errorf("%s without a key is answered %d, want %d: it takes no place", path, got, want)
		}
	}
	if n := admitted.Load(); n != 31 {
		t.Errorf("%d requests are said to have brought a key, want 31", n)
	}
	close(release)
	answers.Wait()
	if in.requests.held != 0 || len(in.requests.byTenant) != 0 {
		t.Errorf("%d places are still held, by %v", in.requests.held, in.requests.byTenant)
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
	ask := func(method, tenant, key string) int {
		r := httptest.NewRequest(method, "/v1/tenants/"+tenant+"/x", nil)
		r.Header.Set("Authorization", "Bearer "+key)
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
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
	if len(in.requests.byTenant) != 0 {
		t.Errorf("%v are still counted, want nobody", in.requests.byTenant)
	}
}

// TestARefusalDoesNotWaitForTheBody: a stranger who sends a part of a body is
// answered nevertheless.
func TestARefusalDoesNotWaitForTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		router := NewRouter([]Route{{Method: "POST", Pattern: "/x", Roles: Manage, Handle: nil}, {Method: "PUT", Pattern: "/x", Roles: Manage,
			Handle: func(*Request) (Response, error) { return NoContent(), nil }}}, keys{}, nil)
		for request, want := range map[string]int{"PUT /x": 401, "POST /x": 405, "PUT /y": 404} {
			ours, theirs := net.Pipe()
			server := &http.Server{Handler: router}
			go server.Serve(oneConnection(theirs))
			began := time.Now()
			go fmt.Fprintf(ours, "%s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf", request)
			answer, err := http.ReadResponse(bufio.NewReader(ours), nil)
			if took := time.Since(began); err != nil || answer.StatusCode != want || took > 2*restTime {
				t.Errorf("%s with half a body: %v, %v after %v, want %d", request, answer, err, took, want)
			}
			ours.Close()
			server.Close()
			time.Sleep(time.Minute)
		}
	})
}
