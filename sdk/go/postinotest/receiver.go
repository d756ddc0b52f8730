package postinotest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// Callback is a request that a receiver got.
type Callback struct {
	Path   string
	Header http.Header
	Body   []byte
}

// Receiver takes callbacks.
type Receiver struct {
	URL string
	// Answer decides the status of each answer; nil means 204. Set it before
	// the first callback.
	Answer func(Callback) int

	t    testing.TB
	mu   sync.Mutex
	all  []Callback
	came chan struct{} // closed and made anew when a callback comes
}

// Receive starts a receiver on 127.0.0.1, and stops it when the test ends.
func Receive(t testing.TB) *Receiver {
	r := &Receiver{t: t, came: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

func (r *Receiver) take(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return
	}
	c := Callback{request.URL.Path, request.Header, body}
	status := http.StatusNoContent
	if r.Answer != nil {
		status = r.Answer(c)
	}
	r.mu.Lock()
	r.all = append(r.all, c)
	close(r.came)
	r.came = make(chan struct{})
	r.mu.Unlock()
	w.WriteHeader(status)
}

// Wait waits until as many callbacks have come in all, and returns those that
// came. After 30 s the test fails.
func (r *Receiver) Wait(count int) []Callback {
	r.t.Helper()
	end := time.After(30 * time.Second)
	for {
		r.mu.Lock()
		all, came := append([]Callback(nil), r.all...), r.came
		r.mu.Unlock()
		if len(all) >= count {
			return all
		}
		select {
		case <-came:
		case <-end:
			r.t.Fatalf("%d callbacks came in 30 s, want %d", len(all), count)
		}
	}
}
