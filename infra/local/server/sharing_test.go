package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/postino/postino/infra/local/server"
)

// greeds are the things that a tenant takes as much of as it can get, which it
// goes on to hold until the test ends.
var greeds = []struct {
	name string
	take func(t *testing.T, a *api)
}{
	{"workers, by hundreds of subscriptions to a receiver that never answers", takeWorkers},
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
