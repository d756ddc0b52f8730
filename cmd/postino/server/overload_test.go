package server_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server"
)

// ask publishes an event of a tenant; later is the header Retry-After.
func (a *api) ask(tenant, id string) (status int, later string) {
	a.t.Helper()
	body := strings.NewReader(`{"type":"a.b","id":"` + id + `","data":{}}`)
	r, err := http.NewRequestWithContext(a.t.Context(), "POST", a.s.URL()+"/v1/tenants/"+tenant+"/events", body)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		a.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Retry-After")
}

// TestABacklogRefusesItsTenantFirstAndLosesNothing: a tenant whose subscriber
// hangs gets 429, another goes on; when the subscriber answers, all that was
// accepted arrives, and the tenant may publish again.
func TestABacklogRefusesItsTenantFirstAndLosesNothing(t *testing.T) {
	s, err := server.Start(t.Context(), server.Config{
		Addr: "127.0.0.1:0", Data: t.TempDir(), AdminKey: key, EgressAllow: "127.0.0.0/8", MaxBacklog: 300, Version: "test",
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	a, hang := &api{t, s}, make(chan struct{})
	slow := newSubscriber(t, func(int, http.ResponseWriter) { <-hang })
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	a.subscribe("slow", `"url":"`+slow.URL+`"`)
	accepted := 0
	for ; accepted < 300; accepted++ {
		status, later := a.ask("acme", fmt.Sprint(accepted))
		if status == 202 {
			continue
		}
		if status != 429 || later == "" {
			t.Errorf("with %d waiting: %d, Retry-After %q, want 429 with a time", accepted, status, later)
		}
		break
	}
	if accepted < 150 || accepted == 300 {
		t.Errorf("%d were accepted, want half of 300 and those in hand", accepted)
	}
	if status, _ := a.ask("other", "1"); status != 202 {
		t.Errorf("another tenant gets %d, want 202", status)
	}
	close(hang)
	for began := time.Now(); slow.count() < accepted && time.Since(began) < 20*time.Second; time.Sleep(10 * time.Millisecond) {
	}
	if n := slow.count(); n != accepted {
		t.Errorf("%d arrived of %d accepted", n, accepted)
	}
	if status, _ := a.ask("acme", "again"); status != 202 {
		t.Errorf("when the backlog is gone: %d, want 202", status)
	}
	if text := a.metrics(); !strings.Contains(text, "postino_publishes_refused_total 1\n") {
		t.Errorf("the refusal is not counted:\n%s", text)
	}
}

// metrics returns what /metrics says.
func (a *api) metrics() string {
	a.t.Helper()
	resp, err := http.Get(a.s.URL() + "/metrics")
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(text)
}
