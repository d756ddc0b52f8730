package server_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localstore"
)

// TestAnAttemptThatIsUnderWayLeavesNothingOfAnExpungedEvent expunges while the
// subscriber still thinks, and looks into the database.
func TestAnAttemptThatIsUnderWayLeavesNothingOfAnExpungedEvent(t *testing.T) {
	data := t.TempDir()
	s, err := server.Start(t.Context(), server.Config{
		Addr: "127.0.0.1:0", Data: data, AdminKey: key, EgressAllow: "127.0.0.0/8", TestClock: true,
		Version: "test", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	a := &api{t, s}
	thinks, done := make(chan struct{}), make(chan struct{})
	sub := newSubscriber(t, func(_ int, w http.ResponseWriter) {
		close(thinks)
		<-done
		w.WriteHeader(500)
		w.Write([]byte("card 4111 refused"))
	})
	a.subscribe("s", `"url":"`+sub.URL+`","retry":{"schedule":["1h"]}`)
	a.subscribe("t", `"url":"`+sub.URL+`","trigger":{"delay":"1h"}`)
	a.call("POST", "/v1/tenants/acme/events", 202, `{"type":"a","id":"e","data":{"card":"4111"}}`)
	<-thinks
	a.call("POST", "/v1/tenants/acme/events/e/expunge", 200, "")
	close(done)
	a.advance("2h") // the attempt is recorded, what it left is removed, the delay is over
	if n := sub.count(); n != 1 {
		t.Errorf("%d callbacks, want the one that was under way", n)
	}
	id := ""
	for _, d := range a.deliveries("event=e") {
		if d["subscription"] == "s" {
			id = d["id"].(string)
		}
		if d["status"] != "canceled" || d["reason"] != "expired" {
			t.Errorf("delivery = %v, want it canceled", d)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
	nothingIsLeft(t, data, id)
}

func nothingIsLeft(t *testing.T, data, delivery string) {
	t.Helper()
	db, err := engine.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store := localstore.In(db)
	d, err := store.Delivery(t.Context(), "acme", delivery)
	if err != nil || d.Attempts != 1 || d.Last == nil || d.Last.Response != nil {
		t.Errorf("delivery = %+v, %v, want its attempt without the answer", d, err)
	}
	attempts, err := store.Attempts(t.Context(), "acme", delivery)
	if err != nil || len(attempts) != 1 || attempts[0].Response != nil || attempts[0].StatusCode != 500 {
		t.Errorf("attempts = %+v, %v, want one without its answer", attempts, err)
	}
	if c, err := store.Content(t.Context(), "acme", delivery); err == nil {
		t.Errorf("body = %q, want none", c.Body.Plain)
	}
	if e, err := store.Event(t.Context(), "acme", "/tenants/acme", "e"); err != nil || strings.Contains(string(e.Data), "4111") {
		t.Errorf("event = %+v, %v", e, err)
	}
}
