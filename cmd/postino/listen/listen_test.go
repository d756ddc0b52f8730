package listen_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/postino/postino/cmd/postino/call"
	"github.com/postino/postino/cmd/postino/listen"
	"github.com/postino/postino/cmd/postino/server"
	"github.com/postino/postino/cmd/postino/server/servertest"
)

// TestMain is a listener of its own process, for tests that kill it.
func TestMain(m *testing.M) {
	if forward := os.Getenv("LISTEN_FORWARD"); forward != "" {
		l := listen.Listener{Tenant: call.Tenant{Endpoint: os.Getenv("LISTEN_ENDPOINT"), Name: "acme", Key: servertest.AdminKey}, Forward: forward, Out: os.Stdout}
		if err := l.Run(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// log is what a listener writes.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// eventually looks until done, or for two minutes.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// hook is the server that gets the requests.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	got    []http.Header
	bodies [][]byte
	answer func(n int, w http.ResponseWriter)
}

func newHook(t *testing.T, answer func(n int, w http.ResponseWriter)) *hook {
	h := &hook{answer: answer}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		h.got, h.bodies = append(h.got, r.Header.Clone()), append(h.bodies, body)
		n := len(h.got)
		h.mu.Unlock()
		h.answer(n, w)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.got)
}

// run runs a listener until stop is called, which returns its error.
func run(t *testing.T, l *listen.Listener) (stop func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	return func() error { cancel(); return <-done }
}

type delivery struct {
	ID, Status string
	Attempts   int `json:"attempt_count"`
}

func deliveries(t *testing.T, of call.Tenant, query string) []delivery {
	t.Helper()
	var page struct{ Data []delivery }
	if err := of.Do(t.Context(), "GET", "/deliveries?"+query, nil, &page); err != nil {
		t.Fatal(err)
	}
	return page.Data
}

func publish(t *testing.T, to call.Tenant, id string) {
	t.Helper()
	if err := to.Do(t.Context(), "POST", "/events", map[string]any{"type": "order.paid", "id": id, "data": map[string]int{"amount": 42}}, nil); err != nil {
		t.Fatal(err)
	}
}

func TestRequestsArriveSignedAndTheirAnswersAreTheAttempts(t *testing.T) {
	s := servertest.Start(t)
	tenant := call.Tenant{Endpoint: s.URL(), Name: "acme", Key: servertest.AdminKey}
	h := newHook(t, func(n int, w http.ResponseWriter) {
		if n == 2 {
			w.WriteHeader(422)
			io.WriteString(w, "no such order")
		}
	})
	out := &log{}
	l := &listen.Listener{Tenant: tenant, Forward: h.URL + "/hook", Types: []string{"order.*"}, Out: out}
	stop := run(t, l)
	eventually(t, "the listener is ready", func() bool { return strings.Contains(out.String(), "forwarding") })
	publish(t, tenant, "e1")
	eventually(t, "the first is recorded", func() bool {
		list := deliveries(t, tenant, "event=e1")
		return len(list) == 1 && list[0].Status == "succeeded"
	})
	publish(t, tenant, "e2")
	eventually(t, "the second is recorded", func() bool { list := deliveries(t, tenant, "event=e2"); return len(list) == 1 && list[0].Attempts == 1 })
	var secret struct{ Secret string }
	if err := tenant.Do(t.Context(), "GET", "/subscriptions/"+l.ID()+"/secret", nil, &secret); err != nil {
		t.Fatal(err)
	}
	verifier, err := standardwebhooks.NewWebhook(secret.Secret)
	if err != nil {
		t.Fatal(err)
	}
	for i, header := range h.got {
		if err := verifier.Verify(h.bodies[i], header); err != nil {
			t.Errorf("request %d does not verify: %v", i, err)
		}
	}
	var one struct {
		Attempts []struct {
			StatusCode int `json:"status_code"`
			Response   struct{ Body string }
		}
	}
	if err := tenant.Do(t.Context(), "GET", "/deliveries/"+deliveries(t, tenant, "event=e2")[0].ID, nil, &one); err != nil {
		t.Fatal(err)
	}
	if len(one.Attempts) != 1 || one.Attempts[0].StatusCode != 422 || one.Attempts[0].Response.Body != "no such order" {
		t.Errorf("the second attempt is recorded as %+v, want the server's answer", one.Attempts)
	}
	for _, want := range []string{"e1  attempt 1  -> 200", "e2  attempt 1  -> 422", secret.Secret} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the listener writes\n%s\nwithout %s", out, want)
		}
	}
	if err := stop(); err != nil {
		t.Errorf("the listener ends with %v", err)
	}
	if err := tenant.Do(t.Context(), "GET", "/subscriptions/"+l.ID(), nil, nil); err == nil {
		t.Error("its subscription is still there, want it gone with the listener")
	}
}

func TestAServerThatIsNotThereIsAnAttemptWithItsReason(t *testing.T) {
	s := servertest.Start(t)
	tenant := call.Tenant{Endpoint: s.URL(), Name: "acme", Key: servertest.AdminKey}
	h := newHook(t, nil)
	h.Close()
	out := &log{}
	stop := run(t, &listen.Listener{Tenant: tenant, Forward: h.URL, Out: out})
	defer stop()
	eventually(t, "the listener is ready", func() bool { return strings.Contains(out.String(), "forwarding") })
	publish(t, tenant, "e1")
	eventually(t, "it is an attempt", func() bool { list := deliveries(t, tenant, "event=e1"); return len(list) == 1 && list[0].Attempts == 1 })
	if !strings.Contains(out.String(), "-> connect: ") {
		t.Errorf("the listener writes\n%s\nwant that it could not connect", out)
	}
}

func TestAListenerThatIsKilledLosesNothing(t *testing.T) {
	s := servertest.Start(t, servertest.StandStill)
	tenant := call.Tenant{Endpoint: s.URL(), Name: "acme", Key: servertest.AdminKey}
	advance := func(by string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.URL()+"/v1/clock", strings.NewReader(`{"advance":"`+by+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+servertest.AdminKey)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode != 200 {
			t.Fatalf("advance %s = %d", by, resp.StatusCode)
		}
	}
	hold := make(chan struct{})
	h := newHook(t, func(n int, w http.ResponseWriter) {
		if n == 1 {
			<-hold
		}
	})
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "LISTEN_FORWARD="+h.URL, "LISTEN_ENDPOINT="+s.URL())
	child.Stdout, child.Stderr = t.Output(), t.Output()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { child.Process.Kill(); child.Wait() }) // if the test ends before it does so
	l := &listen.Listener{Tenant: tenant, Forward: h.URL, Out: t.Output()}
	eventually(t, "the subscription is made", func() bool { return tenant.Do(t.Context(), "GET", "/subscriptions/"+l.ID(), nil, nil) == nil })
	publish(t, tenant, "e1")
	advance("1s")
	eventually(t, "the request has come", func() bool { return h.count() == 1 })
	child.Process.Kill()
	child.Wait()
	close(hold)
	publish(t, tenant, "e2")
	advance("2m") // the lease ends, and the pause before the retry
	stop := run(t, l)
	eventually(t, "both are delivered", func() bool {
		for _, d := range deliveries(t, tenant, "subscription="+l.ID()) {
			if d.Status != "succeeded" {
				return false
			}
		}
		return h.count() == 3
	})
	if first := deliveries(t, tenant, "event=e1"); first[0].Attempts != 2 {
		t.Errorf("the one that was under way has %d attempts, want 2: the first has no answer", first[0].Attempts)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestAnAnswerOutlivesARestartOfTheInstallation(t *testing.T) {
	config := func(addr, data string) server.Config {
		return server.Config{Addr: addr, Data: data, AdminKey: servertest.AdminKey, EgressAllow: "127.0.0.0/8", Version: "test"}
	}
	data, addr := t.TempDir(), ""
	begin := func() *server.Server {
		t.Helper()
		c := config(addr, data)
		if addr == "" {
			c.Addr = "127.0.0.1:0"
		}
		servertest.Quiet(&c)
		s, err := server.Start(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		addr = strings.TrimPrefix(s.URL(), "http://")
		return s
	}
	end := func(s *server.Server) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	}
	s := begin()
	tenant := call.Tenant{Endpoint: s.URL(), Name: "acme", Key: servertest.AdminKey}
	hold := make(chan struct{})
	h := newHook(t, func(int, http.ResponseWriter) { <-hold })
	out := &log{}
	stop := run(t, &listen.Listener{Tenant: tenant, Forward: h.URL, Out: out})
	eventually(t, "the listener is ready", func() bool { return strings.Contains(out.String(), "forwarding") })
	publish(t, tenant, "e1")
	eventually(t, "the request has come", func() bool { return h.count() == 1 })
	end(s)
	close(hold)
	eventually(t, "the listener notices", func() bool { return strings.Contains(out.String(), "does not answer") })
	s = begin()
	defer end(s)
	eventually(t, "the answer is recorded", func() bool {
		list := deliveries(t, tenant, "event=e1")
		return len(list) == 1 && list[0].Status == "succeeded" && list[0].Attempts == 1
	})
	publish(t, tenant, "e2")
	eventually(t, "the listener goes on", func() bool { return h.count() == 2 })
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestAnIdleListenerAsksOnceIn20Seconds(t *testing.T) {
	var mu sync.Mutex
	var pulls []time.Time
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.HasSuffix(r.URL.Path, "/pull") {
			if !strings.Contains(string(body), `"wait":"20s"`) {
				t.Errorf("a pull asks %s, want it to wait for 20s", body)
			}
			mu.Lock()
			pulls = append(pulls, time.Now())
			first := len(pulls) == 1
			mu.Unlock()
			if !first {
				<-r.Context().Done()
				return
			}
			io.WriteString(w, `{"deliveries":[]}`)
			return
		}
		io.WriteString(w, `{"secret":"whsec_x"}`)
	}))
	defer api.Close()
	stop := run(t, &listen.Listener{Tenant: call.Tenant{Endpoint: api.URL, Name: "acme", Key: "k"}, Forward: "http://127.0.0.1:1", Keep: true, Out: io.Discard})
	eventually(t, "two pulls", func() bool { mu.Lock(); defer mu.Unlock(); return len(pulls) == 2 })
	if err := stop(); err != nil && !strings.Contains(err.Error(), "canceled") {
		t.Error(err)
	}
	if len(pulls) != 2 {
		t.Errorf("%d pulls while one waits, want one after the other", len(pulls))
	}
}

func TestTriggerPublishesTheSampleOfATypeAndTailShowsWhatBecomesOfIt(t *testing.T) {
	s := servertest.Start(t)
	tenant := call.Tenant{Endpoint: s.URL(), Name: "acme", Key: servertest.AdminKey}
	h := newHook(t, func(int, http.ResponseWriter) {})
	if err := listen.Trigger(t.Context(), tenant, "order.paid", "", nil, io.Discard); err == nil || !strings.Contains(err.Error(), "has no sample") {
		t.Errorf("a type without a sample: %v, want that it has none", err)
	}
	if err := tenant.Do(t.Context(), "PUT", "/event-types/order.paid", map[string]any{"sample": map[string]int{"amount": 7}}, nil); err != nil {
		t.Fatal(err)
	}
	if err := tenant.Do(t.Context(), "PUT", "/subscriptions/s", map[string]string{"url": h.URL}, nil); err != nil {
		t.Fatal(err)
	}
	out, id := &log{}, &log{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- listen.Tail(ctx, tenant, 20*time.Millisecond, out) }()
	if err := listen.Trigger(t.Context(), tenant, "order.paid", "ada", nil, id); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the callback", func() bool { return h.count() == 1 })
	if !bytes.Contains(h.bodies[0], []byte(`"subject":"ada","data":{"amount":7}`)) {
		t.Errorf("the callback has %s, want the sample", h.bodies[0])
	}
	second := &log{}
	eventually(t, "the tail shows one of the next", func() bool { // it may have begun after the first
		if err := listen.Trigger(t.Context(), tenant, "order.paid", "", nil, second); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		return strings.Contains(out.String(), "  s  succeeded  1 attempts")
	})
	cancel()
	if err := <-done; err != nil {
		t.Errorf("the tail ends with %v", err)
	}
}
