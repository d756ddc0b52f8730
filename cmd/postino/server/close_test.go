package server_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server"
)

// TestCloseLetsAPostEnd stops a server while a subscriber thinks about its
// answer, and starts it again: the callback was made once, and that is known.
func TestCloseLetsAPostEnd(t *testing.T) {
	data, ctx := t.TempDir(), t.Context()
	open := func() *api {
		s, err := server.Start(ctx, server.Config{
			Addr: "127.0.0.1:0", Data: data, AdminKey: key, EgressAllow: "127.0.0.0/8", Version: "test", Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		return &api{t, s}
	}
	first := open()
	address := first.s.URL()[len("http://"):]
	arrived := make(chan struct{}, 10)
	sub := newSubscriber(t, func(n int, w http.ResponseWriter) {
		arrived <- struct{}{}
		for n == 1 { // until the server takes no more requests
			c, err := net.Dial("tcp", address)
			if err != nil {
				time.Sleep(50 * time.Millisecond) // a server that gave the post up would have by then
				break
			}
			c.Close()
		}
		w.WriteHeader(http.StatusNoContent)
	})
	first.subscribe("slow", `"url":"`+sub.URL+`"`)
	first.publish(1)
	<-arrived
	closing, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := first.s.Close(closing); err != nil {
		t.Fatal(err)
	}

	second := open()
	defer second.s.Close(closing)
	if list := second.deliveries(""); len(list) != 1 || list[0]["status"] != "succeeded" {
		t.Errorf("deliveries after the restart: %v, want one that succeeded", list)
	}
	second.call("POST", "/v1/tenants/acme/events", 202, `{"type":"a.b","id":"later","data":{}}`)
	<-arrived // the group's order is kept: a repeat of the first would have come before
	if n := sub.count(); n != 2 {
		t.Errorf("%d callbacks for two events", n)
	}
}
