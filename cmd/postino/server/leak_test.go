package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server"
)

// held is what a process holds of what can leak.
type held struct{ goroutines, handles int }

func holds() held {
	handles, _ := os.ReadDir("/proc/self/fd") // none where there is no /proc
	return held{runtime.NumGoroutine(), len(handles)}
}

// comesTo waits until no more is held than the level, and reports what is.
func (h held) comesTo(level held) (now held, ok bool) {
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		now = holds()
		if now.goroutines <= level.goroutines && now.handles <= level.handles {
			return now, true
		}
		if time.Now().After(deadline) {
			return now, false
		}
	}
}

// TestNothingLeaks works in rounds, with subscribers that answer, fail, hang up
// and are not there: after each round the server comes back to the level of the
// first, and when it is closed, to that before its start.
func TestNothingLeaks(t *testing.T) {
	before := holds()
	s, err := server.Start(t.Context(), server.Config{
		Addr: "127.0.0.1:0", Data: t.TempDir(), AdminKey: key, EgressAllow: "127.0.0.0/8", Version: "test", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	a := &api{t, s}
	good, bad := newSubscriber(t, status(204)), newSubscriber(t, status(500))
	rude := newSubscriber(t, func(int, http.ResponseWriter) { panic(http.ErrAbortHandler) })
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	for id, url := range map[string]string{"good": good.URL, "bad": bad.URL, "rude": rude.URL, "nobody": "http://" + nobody.Addr().String()} {
		a.subscribe(id, `"url":"`+url+`","retry":{"schedule":["1s"]}`)
	}
	round := func(n int) {
		for i := range 200 {
			a.ask("acme", fmt.Sprintf("%d-%d", n, i))
		}
		for began := time.Now(); good.count() < 200*(n+1) && time.Since(began) < 20*time.Second; time.Sleep(10 * time.Millisecond) {
		}
		for _, s := range []*subscriber{good, bad, rude} {
			s.CloseClientConnections() // those that are kept open are not leaks
		}
		http.DefaultClient.CloseIdleConnections()
	}
	round(0)
	time.Sleep(2 * time.Second) // workers rest for a second before they end
	level := holds()
	level.goroutines += 10
	level.handles += 5
	for n := 1; n <= 3; n++ {
		round(n)
		if now, ok := level.comesTo(level); !ok {
			t.Errorf("after round %d: %+v, want at most %+v", n, now, level)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*subscriber{good, bad, rude} {
		s.Close()
	}
	before.goroutines += 2 // of the runtime, for names and timers
	before.handles++
	if now, ok := before.comesTo(before); !ok {
		stacks := make([]byte, 1<<16)
		t.Errorf("closed: %+v, want at most %+v:\n%s", now, before, stacks[:runtime.Stack(stacks, true)])
	}
}
