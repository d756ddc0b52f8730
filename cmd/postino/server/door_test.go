package server_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server"
)

// open starts a server, with what set changes.
func open(t testing.TB, set func(*server.Config)) *api {
	t.Helper()
	c := server.Config{Addr: "127.0.0.1:0", Data: t.TempDir(), AdminKey: key, EgressAllow: "127.0.0.0/8", Version: "test", Log: slog.New(slog.DiscardHandler)}
	if set != nil {
		set(&c)
	}
	s, err := server.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return &api{t, s}
}

// get asks with a Host header and a key, if they are not empty.
func (a *api) get(path, host, key string) (*http.Response, string) {
	a.t.Helper()
	url := strings.Replace(a.s.URL(), "[::]", "127.0.0.1", 1)
	r, err := http.NewRequestWithContext(a.t.Context(), "GET", url+path, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Host = host
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return resp, string(text)
}

// TestAPageWhoseNamePointsHereLearnsNothing: what needs no key is answered only
// to requests that name us.
func TestAPageWhoseNamePointsHereLearnsNothing(t *testing.T) {
	for _, tt := range []struct {
		addr   string
		hosts  []string
		served []string
		not    []string
	}{
		{"127.0.0.1:0", nil, []string{"", "localhost", "LOCALHOST:80", "localhost.", "a.localhost", "127.0.0.1:1", "[::1]:8080", "[::1]", "10.0.0.7"},
			[]string{"evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "x"}},
		{"127.0.0.1:0", []string{"postino.example"}, []string{"postino.example:443", "localhost"}, []string{"evil.example"}},
		{"localhost:0", nil, []string{"localhost"}, []string{"evil.example"}},
		{":0", nil, []string{"postino", "postino.example:8080", "localhost"}, nil},
		{":0", []string{"postino"}, []string{"postino:8080", "localhost"}, []string{"evil.example"}},
	} {
		a := open(t, func(c *server.Config) { c.Addr, c.Hosts = tt.addr, tt.hosts })
		for _, path := range []string{"/healthz", "/metrics", "/openapi.json", "/docs"} {
			for _, host := range tt.served {
				if resp, text := a.get(path, host, ""); resp.StatusCode != 200 {
					t.Errorf("on %s with hosts %q, %s of %q is %d %.200s, want 200", tt.addr, tt.hosts, path, host, resp.StatusCode, text)
				}
			}
			for _, host := range tt.not {
				if resp, text := a.get(path, host, key); resp.StatusCode != 421 || !strings.Contains(text, `"code":"host_not_served"`) || !strings.Contains(text, "-hosts") {
					t.Errorf("on %s with hosts %q, %s of %q is %d %.200s, want 421 that names -hosts", tt.addr, tt.hosts, path, host, resp.StatusCode, text)
				}
			}
		}
	}
}

func TestNoAnswerIsToBeGuessedAt(t *testing.T) {
	a := open(t, nil)
	for _, path := range []string{"/healthz", "/metrics", "/openapi.json", "/docs", "/nothing", "/v1/tenants", "/v1/tenants/acme/events"} {
		if resp, _ := a.get(path, "", ""); resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Content-Type") == "" {
			t.Errorf("%s has Content-Type %q and X-Content-Type-Options %q, want one and nosniff", path, resp.Header.Get("Content-Type"), resp.Header.Get("X-Content-Type-Options"))
		}
	}
}

func TestMetricsAskForTheirKeyIfThereIsOne(t *testing.T) {
	const own = "the-key-of-the-metrics"
	a := open(t, func(c *server.Config) { c.MetricsKey = own })
	for key, want := range map[string]int{"": 401, "wrong": 401, own: 200, key: 200} {
		if resp, text := a.get("/metrics", "", key); resp.StatusCode != want || (want == 200) != strings.Contains(text, "postino_goroutines") {
			t.Errorf("with key %q: %d %.100s, want %d", key, resp.StatusCode, text, want)
		}
	}
	if resp, _ := a.get("/v1/tenants", "", own); resp.StatusCode != 401 {
		t.Errorf("elsewhere the key of the metrics is answered %d, want 401", resp.StatusCode)
	}
	c := server.Config{Addr: "127.0.0.1:0", Data: t.TempDir(), MetricsKey: "short", Log: slog.New(slog.DiscardHandler)}
	if _, err := server.Start(t.Context(), c); err == nil || !strings.Contains(err.Error(), "POSTINO_METRICS_KEY") {
		t.Errorf("a short key: %v, want an error that names POSTINO_METRICS_KEY", err)
	}
	open := open(t, nil)
	if resp, _ := open.get("/metrics", "", ""); resp.StatusCode != 200 {
		t.Errorf("without one: %d, want 200", resp.StatusCode)
	}
}

// TestStrangersStopNobody: more connections without a key than there may be,
// some of which ask for much and read nothing, and some of which are idle, hold
// nothing that others need.
func TestStrangersStopNobody(t *testing.T) {
	const most = 64
	a := open(t, func(c *server.Config) { c.MaxConnections = most })
	modest := newSubscriber(t, status(204))
	a.call("PUT", "/v1/tenants/modest/subscriptions/s", 201, `{"url":"`+modest.URL+`"}`)
	address := strings.TrimPrefix(a.s.URL(), "http://")
	ask := strings.Repeat("GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n", 40)
	for i := range most + 16 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if i%2 == 0 {
			go io.WriteString(c, ask) // it may be cut off before the end
		}
	}
	for i := range 30 {
		http.DefaultClient.CloseIdleConnections() // each comes by a new connection
		if status, _ := a.ask("modest", string(rune('a'+i))); status != 202 {
			t.Fatalf("event %d is answered %d, want 202", i, status)
		}
	}
	await(t, "the callbacks", func() bool { return modest.count() == 30 })
}
