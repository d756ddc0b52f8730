package peer_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/callback/peer"
)

// server is one without a network: its body says first and then nothing, and
// looks at no context, as net/http's does not after 101.
type server struct {
	status int
	first  string
	read   bool
	closed chan struct{}
}

func (s *server) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: s.status, Body: s}, nil
}

func (s *server) Read(b []byte) (int, error) {
	s.read = true
	if s.first != "" {
		n := copy(b, s.first)
		s.first = s.first[n:]
		return n, nil
	}
	<-s.closed
	return 0, net.ErrClosed
}

func (s *server) Close() error {
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	return nil
}

func request(ctx context.Context) *http.Request {
	r, _ := http.NewRequestWithContext(ctx, "POST", "https://a.example", http.NoBody)
	return r
}

func TestABodyThatLooksAtNoContextEndsAtTheDeadline(t *testing.T) {
	for _, deadline := range []time.Duration{0, 3 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			ctx, want := t.Context(), peer.Longest
			if deadline > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, deadline)
				defer cancel()
				want = min(want, deadline)
			}
			s, began := &server{status: 200, first: "half", closed: make(chan struct{})}, time.Now()
			a, err := peer.Ask(s, request(ctx), 100)
			if took := time.Since(began); took != want || !errors.Is(err, context.DeadlineExceeded) || a.Status != 200 || string(a.Body) != "half" {
				t.Errorf("with %v left: %+v, %v after %v, want half an answer and the deadline after %v", deadline, a, err, took, want)
			}
		})
	}
}

func TestAnAnswerIsReadUpToItsBound(t *testing.T) {
	for _, tt := range []struct {
		body string
		kept string
		more bool
	}{{"1234", "1234", false}, {"12345", "12345", false}, {"123456", "12345", true}, {strings.Repeat("x", 1<<20), "xxxxx", true}} {
		client := doer(func() (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(tt.body))}, nil
		})
		a, err := peer.Ask(client, request(t.Context()), 5)
		if string(a.Body) != tt.kept || a.More != tt.more || err != nil {
			t.Errorf("of %d bytes: %q, more %v, %v, want %q, %v", len(tt.body), a.Body, a.More, err, tt.kept, tt.more)
		}
	}
}

func Test101EndsAtOnceWithItsBodyUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, began := &server{status: 101, closed: make(chan struct{})}, time.Now()
		a, err := peer.Ask(s, request(t.Context()), 100)
		if a.Status != 101 || err != nil || time.Since(began) != 0 || s.read {
			t.Errorf("%+v, %v after %v, body read: %v, want 101 at once", a, err, time.Since(began), s.read)
		}
		<-s.closed
	})
}

type doer func() (*http.Response, error)

func (d doer) Do(*http.Request) (*http.Response, error) { return d() }
