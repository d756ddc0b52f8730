package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server"
)

// greeds are the things that a tenant takes as much of as it can get, which it
// goes on to hold until the test ends.
var greeds = []struct {
	name string
	take func(t *testing.T, a *api)
}{
	{"workers, by hundreds of subscriptions to a receiver that never answers", takeWorkers},
	{"room for bodies, by uploads that do not come on", takeBodies},
	{"places of requests, by more uploads than there are places", takePlaces},
}

// TestAGreedyTenantTakesNothingFromAnother: while one tenant, whose name is
// acme, holds all that it can get, every event of another is taken and delivered.
func TestAGreedyTenantTakesNothingFromAnother(t *testing.T) {
	for _, g := range greeds {
		t.Run(g.name, func(t *testing.T) {
			s, err := server.Start(t.Context(), server.Config{
				Addr: "127.0.0.1:0", Data: t.TempDir(), AdminKey: key, EgressAllow: "127.0.0.0/8", Version: "test",
				Log: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			a, modest := &api{t, s}, newSubscriber(t, status(204))
			t.Cleanup(func() {
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				defer cancel()
				if err := s.Close(ctx); err != nil {
					t.Error(err)
				}
			})
			a.call("PUT", "/v1/tenants/modest/subscriptions/s", 201, `{"url":"`+modest.URL+`"}`)
			g.take(t, a)
			const events = 30
			for i := range events {
				if status, _ := a.ask("modest", fmt.Sprint(i)); status != 202 {
					t.Fatalf("event %d of the other tenant is answered %d, want 202", i, status)
				}
			}
			await(t, "the other tenant's callbacks", func() bool { return modest.count() == events })
		})
	}
}

// await waits until it is so, for a time that only ends a test that hangs.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for began := time.Now(); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 20*time.Second { // less than a hanging attempt takes
			t.Fatalf("%s did not come about", what)
		}
	}
}

// takeWorkers makes more attempts wait for an answer than there are workers.
func takeWorkers(t *testing.T, a *api) {
	answer := make(chan struct{})
	hangs := newSubscriber(t, func(int, http.ResponseWriter) { <-answer })
	t.Cleanup(func() { close(answer) })
	for i := range 400 {
		a.subscribe(fmt.Sprint("s", i), `"url":"`+hangs.URL+`","retry":{"timeout":"25s","schedule":[]}`)
	}
	a.publish(1)
	await(t, "the greedy tenant's share of the workers", func() bool { return hangs.count() >= 192 })
}

// upload begins to publish, by a connection of its own, and goes no further
// than it is told.
func upload(t *testing.T, a *api, announced int, sent string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(a.s.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	head := fmt.Sprintf("POST /v1/tenants/acme/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", key, announced)
	if _, err := io.WriteString(c, head+sent); err != nil {
		t.Fatal(err)
	}
	return c
}

// takeBodies announces more than there is room for, and sends a little.
func takeBodies(t *testing.T, a *api) {
	for range 40 { // of 4 MiB: 160 MiB of 64
		upload(t, a, 4<<20, "[")
	}
}

// takePlaces leaves requests unfinished, more than one tenant has places for.
func takePlaces(t *testing.T, a *api) {
	var refused atomic.Int64
	for range 600 {
		c := upload(t, a, 100, "[")
		go func() {
			answer, err := http.ReadResponse(bufio.NewReader(c), nil)

			if err == nil && answer.StatusCode == http.StatusTooManyRequests {
				refused.Add(1)
			}
		}()
	}
	await(t, "a refusal", func() bool { return refused.Load() > 0 })
}
