package egress

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// plainServer serves each connection by a function and counts them.
func plainServer(t *testing.T, serve func(net.Conn, *bufio.Reader)) (url string, connections *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	connections = new(atomic.Int32)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go func() {
				defer conn.Close()
				serve(conn, bufio.NewReader(conn))
			}()
		}
	}()
	return "http://" + listener.Addr().String(), connections
}

// always reads requests and gives each the same answer.
func always(answer string) func(net.Conn, *bufio.Reader) {
	return func(conn net.Conn, r *bufio.Reader) {
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			io.Copy(io.Discard, req.Body)
			io.WriteString(conn, answer)
		}
	}
}

func TestAPlainConnectionIsKeptUnlessItsAnswerForbids(t *testing.T) {
	for _, tt := range []struct {
		name, answer, body string
		connections        int32
	}{
		{"no body", "HTTP/1.1 204 No Content\r\n\r\n", "", 1},
		{"a body", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", 1},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "ok", 1},
		{"interim answers", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", 1},
		{"the end is asked for", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "ok", 3},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", 3},
		{"more than was asked for", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n", "ok", 3},
	} {
		url, connections := plainServer(t, always(tt.answer))
		transport := NewTransport(&Guard{Allow: loopback}, nil)
		for range 3 {
			if got := exchange(t, NewClient(transport), url); got != tt.body {
				t.Errorf("%s: body %q, want %q", tt.name, got, tt.body)
			}
		}
		transport.CloseIdleConnections()
		if got := connections.Load(); got != tt.connections {
			t.Errorf("%s: three requests took %d connections, want %d", tt.name, got, tt.connections)
		}
	}
}

func TestAConnectionThatTheServerClosedIsNotUsedAgain(t *testing.T) {
	closed := make(chan bool)
	url, connections := plainServer(t, func(conn net.Conn, r *bufio.Reader) {
		_, _ = http.ReadRequest(r)
		io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
		conn.Close()
		closed <- true
	})
	transport := NewTransport(&Guard{Allow: loopback}, nil)
	defer transport.CloseIdleConnections()
	for range 5 {
		exchange(t, NewClient(transport), url)
		<-closed
	}
	if got := connections.Load(); got != 5 {
		t.Errorf("five requests took %d connections, want one each", got)
	}
}

func TestABodyThatIsNotReadToItsEndEndsTheConnection(t *testing.T) {
	url, connections := plainServer(t, always("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"+strings.Repeat("x", 1000)))
	transport := NewTransport(&Guard{Allow: loopback}, nil)
	defer transport.CloseIdleConnections()
	for range 2 {
		resp, err := NewClient(transport).Post(url, "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = resp.Body.Read(make([]byte, 10))
		resp.Body.Close()
		if _, err := resp.Body.Read(make([]byte, 10)); err == nil {
			t.Error("a body was read after it was closed")
		}
	}
	if got := connections.Load(); got != 2 {
		t.Errorf("two answers that were not read took %d connections, want 2", got)
	}
}

// A server may refuse a large request before it has read it.
func TestAnAnswerComesBeforeALargeBodyIsRead(t *testing.T) {
	url, _ := plainServer(t, func(conn net.Conn, _ *bufio.Reader) {
		io.WriteString(conn, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
		<-t.Context().Done()
	})
	transport := NewTransport(&Guard{Allow: loopback}, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(strings.Repeat("x", 64<<20)))
	resp, err := transport.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Fatalf("a request of 64 MiB that the server does not read = %v, %v, want its 413", resp, err)
	}
	resp.Body.Close()
}

func TestALargeBodyArrivesWhole(t *testing.T) {
	sizes := make(chan int64, 2)
	url, connections := plainServer(t, func(conn net.Conn, r *bufio.Reader) {
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			n, _ := io.Copy(io.Discard, req.Body)
			sizes <- n
			io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
		}
	})
	transport := NewTransport(&Guard{Allow: loopback}, nil)
	defer transport.CloseIdleConnections()
	for _, size := range []int{small, 1 << 20} {
		resp, err := NewClient(transport).Post(url, "text/plain", strings.NewReader(strings.Repeat("x", size)))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := <-sizes; got != int64(size) {
			t.Errorf("of %d bytes arrived %d", size, got)
		}
	}
	if got := connections.Load(); got != 1 {
		t.Errorf("%d connections, want one that is kept", got)
	}
}

func TestAnIdleConnectionIsClosedInTime(t *testing.T) {
	ended := make(chan bool, 1)
	url, _ := plainServer(t, func(conn net.Conn, r *bufio.Reader) {
		always("HTTP/1.1 204 No Content\r\n\r\n")(conn, r)
		ended <- true
	})
	transport := NewTransport(&Guard{Allow: loopback}, nil)
	transport.plain.kept.idle = time.Millisecond
	exchange(t, NewClient(transport), url)
	<-ended
}

func TestTheConnectionIdleForLongestMakesRoom(t *testing.T) {
	k := newKept(3, time.Hour)
	var closed []string
	for _, address := range []string{"a:1", "b:1", "a:1", "c:1", "a:1"} {
		k.put(&connection{Conn: noted{&closed, fmt.Sprint(address, len(closed))}, address: address, kept: k})
	}
	if got := fmt.Sprint(closed); got != "[a:10 b:10]" {
		t.Errorf("of five connections, three of which have room, %v were closed, want the first two", got)
	}
	if k.newest("b:1") != nil || k.newest("a:1") == nil || k.newest("c:1") == nil || k.newest("a:1") == nil || k.newest("a:1") != nil {
		t.Error("other connections are kept than the last three")
	}
	k.close(0)
	if len(k.byAddress) != 0 {
		t.Errorf("%d addresses are left of none", len(k.byAddress))
	}
}

// noted notes when it is closed.
type noted struct {
	list *[]string
	name string
}

func (n noted) Close() error                   { *n.list = append(*n.list, n.name); return nil }
func (noted) Read([]byte) (int, error)         { return 0, io.EOF }
func (noted) Write([]byte) (int, error)        { return 0, io.EOF }
func (noted) LocalAddr() net.Addr              { return nil }
func (noted) RemoteAddr() net.Addr             { return nil }
func (noted) SetDeadline(time.Time) error      { return nil }
func (noted) SetReadDeadline(time.Time) error  { return nil }
func (noted) SetWriteDeadline(time.Time) error { return nil }

func TestACanceledRequestEndsAndSoDoesItsConnection(t *testing.T) {
	asked := make(chan bool, 1)
	url, connections := plainServer(t, func(conn net.Conn, r *bufio.Reader) {
		_, _ = http.ReadRequest(r)
		asked <- true
		io.Copy(io.Discard, conn)
	})
	transport := NewTransport(&Guard{Allow: loopback}, nil)
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-asked; cancel() }()
		req, _ := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader("x"))
		if _, err := transport.RoundTrip(req); !errors.Is(err, context.Canceled) {
			t.Errorf("a request that was canceled = %v, want that", err)
		}
	}
	if got := connections.Load(); got != 2 {
		t.Errorf("%d connections, want one for each", got)
	}
}

func TestManyRequestsAtOnceShareConnections(t *testing.T) {
	url, connections := plainServer(t, always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	client := NewClient(NewTransport(&Guard{Allow: loopback}, nil))
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got := exchange(t, client, url); got != "ok" {
					t.Errorf("body %q, want ok", got)
				}
			}
		})
	}
	wg.Wait()
	if got := connections.Load(); got > 8 {
		t.Errorf("8 at a time took %d connections, want 8 at most", got)
	}
}

func TestHeadersThatCouldSplitARequestAreRefused(t *testing.T) {
	url, connections := plainServer(t, always("HTTP/1.1 204 No Content\r\n\r\n"))
	transport := NewTransport(&Guard{Allow: loopback}, nil)
	for _, header := range []http.Header{{"A": {"b\r\nC: d"}}, {"A\r\nB": {"c"}}, {"A b": {"c"}}} {
		if err := attempt(transport, "POST", url, "x", header); err == nil {
			t.Errorf("a request with %q was sent", header)
		}
	}
	if got := connections.Load(); got != 0 {
		t.Errorf("%d connections were made, want none", got)
	}
}
