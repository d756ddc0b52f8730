package server_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server"
)

// switching answers 101 to everybody, and keeps the connection.
func switching(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				c.Read(make([]byte, 4096))
				io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
				io.Copy(io.Discard, c)
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

// More attempts than there are workers, each of which would keep one.
func TestReceiversThatAnswer101StopNobody(t *testing.T) {
	s, err := server.Start(t.Context(), server.Config{
		Addr: "127.0.0.1:0", Data: t.TempDir(), AdminKey: key, EgressAllow: "127.0.0.0/8", Version: "test", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	a, hostile := &api{t, s}, switching(t)
	for i := range 10 {
		a.subscribe(fmt.Sprint("s", i), `"url":"`+hostile+`","retry":{"schedule":[]}`)
	}
	var array []string
	for i := range 40 {
		array = append(array, fmt.Sprintf(`{"type":"order.paid","id":"e%d","data":{}}`, i))
	}
	a.call("POST", "/v1/tenants/acme/events", 202, "["+strings.Join(array, ",")+"]")
	arrived := make(chan struct{}, 1)
	healthy := newSubscriber(t, func(int, http.ResponseWriter) { arrived <- struct{}{} })
	a.call("PUT", "/v1/tenants/other/subscriptions/s", 201, `{"url":"`+healthy.URL+`"}`)
	a.call("POST", "/v1/tenants/other/events", 202, `{"type":"order.paid","data":{}}`)
	const hang = 30 * time.Second
	select {
	case <-arrived:
	case <-time.After(hang):
		t.Error("another tenant's callback does not come")
	}
	for until := time.Now().Add(hang); len(a.deliveries("status=exhausted&limit=1")) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("no attempt of a receiver that answers 101 has ended")
		}
	}
	if got := a.attempts(a.deliveries("status=exhausted&limit=1")[0]); len(got) != 1 || got[0] != "101 status" {
		t.Errorf("attempts %q, want one that failed with 101", got)
	}
	closing, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	if err := s.Close(closing); err != nil {
		t.Errorf("close: %v", err)
	}
}

// A token endpoint that once answered 101 is asked again by the next attempt.
func TestATokenEndpointThatAnswered101IsAskedAgain(t *testing.T) {
	a, i := start(t), newIssuer(t, "right")
	s := i.guarded(t)
	a.subscribe("s", `"url":"`+s.URL+`","retry":{"schedule":["1m"]},`+strings.ReplaceAll(oauth(i, "me", "right"), i.URL, switching(t)))
	a.publish(1)
	a.advance("1s")
	d := a.deliveries("")[0]
	if got := a.attempts(d); len(got) != 1 || got[0] != "<nil> auth" {
		t.Fatalf("attempts %q, want one without a token", got)
	}
	a.call("PATCH", "/v1/tenants/acme/subscriptions/s", 200, "{"+oauth(i, "me", "right")+"}")
	a.advance("2m")
	if d := a.deliveries("")[0]; d["status"] != "succeeded" {
		t.Errorf("after another endpoint is named: %v, want it succeeded", d)
	}
}

func TestOurOwnAPIIsRefusedWhenSaved(t *testing.T) {
	a := start(t)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(a.s.URL(), "http://"))
	for _, host := range []string{"127.0.0.1", "localhost", "LOCALHOST.", "x.localhost", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "[::ffff:0.0.0.0]"} {
		got := a.call("PUT", "/v1/tenants/acme/subscriptions/s", 422, `{"url":"http://`+host+":"+port+`/v1/tenants/acme/events"}`)
		if text := fmt.Sprint(got["errors"]); !strings.Contains(text, "url") {
			t.Errorf("%s is refused with %v, want a field error", host, got)
		}
	}
}
