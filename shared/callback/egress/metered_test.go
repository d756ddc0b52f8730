package egress

import (
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// endless is a connection over which bytes come for ever.
type endless struct {
	net.Conn
	closed bool
}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func (e *endless) Close() error {
	e.closed = true
	return nil
}

func TestAConnectionBreaksWhenTheServerSendsMoreThanWasAskedFor(t *testing.T) {
	for _, tt := range []struct{ requests, want int }{{0, allowance}, {1, 2 * allowance}, {3, 4 * allowance}, {1000, maxAllowance}} {
		e := &endless{}
		m := newMetered(e)
		for range tt.requests {
			allowMore(m)
		}
		read, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{m}, make([]byte, 1<<10))
		if int(read) != tt.want || !errors.Is(err, errTooMuch) || !e.closed {
			t.Errorf("after %d requests %d bytes, %v, closed: %v, want %d and the connection closed", tt.requests, read, err, e.closed, tt.want)
		}
	}
}

func TestAKeptConnectionAnswersForAsLongAsItIsAsked(t *testing.T) {
	answer := "HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + strings.Repeat("x", 50000)
	connections := 0
	address := wire(t, func(c net.Conn) {
		connections++
		for buf := make([]byte, 4096); ; {
			io.WriteString(c, answer)
			if _, err := c.Read(buf); err != nil {
				return
			}
		}
	})
	g := &Guard{Allow: loopback}
	transport := NewTransport(g, nil)
	defer transport.CloseIdleConnections()
	for i := range 50 {
		resp, err := NewClient(transport).Post("http://"+address, "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		resp.Body.Close()
	}
	if connections != 1 {
		t.Errorf("%d connections for requests one after the other, want 1", connections)
	}
}

// TestWhoSendsWithoutEndLetsOthersRun: between two reads of an answer that is
// long already, whatever is ready to run does.
func TestWhoSendsWithoutEndLetsOthersRun(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	m := newMetered(&endless{})
	var turns atomic.Int64
	var stop atomic.Bool
	go func() {
		for ; !stop.Load(); runtime.Gosched() {
			turns.Add(1)
		}
	}()
	defer stop.Store(true)
	read := func(n int) (others int64) {
		before := turns.Load()
		for range n {
			if _, err := m.Read(make([]byte, 1<<10)); err != nil {
				t.Fatal(err)
			}
		}
		return turns.Load() - before
	}
	read(9)
	if got := read(100); got < 90 {
		t.Errorf("of 100 reads beyond the first 8 KiB %d let others run, want all", got)
	}
}
