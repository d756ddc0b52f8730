package egress

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

var quiet = log.New(io.Discard, "", 0)

// hangsUp answers the first request of each connection and keeps it open; it
// reads the second whole, and then hangs up without an answer.
func hangsUp(t *testing.T) (url string, requests *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	requests = new(atomic.Int32)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answerOnce(conn, requests)
		}
	}()
	return "http://" + listener.Addr().String(), requests
}

func answerOnce(conn net.Conn, requests *atomic.Int32) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for n := range 2 {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		io.Copy(io.Discard, req.Body)
		requests.Add(1)
		if n == 0 {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	}
}

// attempt sends one request and reads its answer.
func attempt(transport http.RoundTripper, method, url, body string, header http.Header) error {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = header
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

var markings = []http.Header{
	{},
	{"idempotency-key": {"dlv_1"}},
	{"Idempotency-Key": {"dlv_1"}},
	{"X-Idempotency-Key": {"dlv_1"}},
	{"Idempotency-Key": {"dlv_1"}, "X-Idempotency-Key": {"dlv_1"}},
}

func TestOneAttemptIsOneRequestAlthoughTheConnectionDies(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "GET", "HEAD", "OPTIONS"} {
		for _, header := range markings {
			for _, body := range []string{`{"a":1}`, ""} {
				url, requests := hangsUp(t)
				transport := NewTransport(&Guard{Allow: loopback}, nil)
				if err := attempt(transport, method, url, body, header); err != nil {
					t.Fatalf("first %s = %v", method, err)
				}
				err := attempt(transport, method, url, body, header)
				transport.CloseIdleConnections()
				if got := Class(err); got != webhook.ErrorReset {
					t.Errorf("%s with %v on a dying connection: class %q of %v, want %q", method, header, got, err, webhook.ErrorReset)
				}
				if requests.Load() != 2 {
					t.Errorf("two attempts to %s %q with %v were %d requests", method, body, header, requests.Load())
				}
			}
		}
	}
}

// TestNetHTTPAloneWouldReplay shows that the server above tempts it to.
func TestNetHTTPAloneWouldReplay(t *testing.T) {
	url, requests := hangsUp(t)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	header := http.Header{"Idempotency-Key": {"dlv_1"}}
	for range 2 {
		if err := attempt(transport, "POST", url, "{}", header); err != nil {
			t.Fatal(err)
		}
	}
	if requests.Load() != 3 {
		t.Errorf("two attempts were %d requests, want 3: the other tests prove nothing now", requests.Load())
	}
}

func TestHeadersReachTheWireUnderTheirNames(t *testing.T) {
	seen := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header }))
	defer server.Close()
	transport := NewTransport(&Guard{Allow: loopback}, nil)
	defer transport.CloseIdleConnections()
	for _, header := range markings[1:] {
		before := len(header)
		if err := attempt(transport, "POST", server.URL, "{}", header); err != nil {
			t.Fatal(err)
		}
		if got := <-seen; got.Get("idempotency-key")+got.Get("x-idempotency-key") == "" {
			t.Errorf("of %v arrived %v", header, got)
		}
		//lint:ignore SA1008 the test is about keys that are not canonical
		if len(header) != before || header["idempotency-key"] != nil && header["Idempotency-Key"] != nil {
			t.Errorf("the caller's headers were changed to %v", header)
		}
	}
}

func TestASubscribersOwnKeyTakesThePlaceOfOurs(t *testing.T) {
	seen := make(chan []string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header["Idempotency-Key"] }))
	defer server.Close()
	transport := NewTransport(&Guard{Allow: loopback}, nil)
	defer transport.CloseIdleConnections()
	if err := attempt(transport, "POST", server.URL, "{}", http.Header{"idempotency-key": {"dlv_1"}, "Idempotency-Key": {"own"}}); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; len(got) != 1 || got[0] != "own" {
		t.Errorf("idempotency-key arrived as %q, want the subscriber's alone", got)
	}
}

// TestRequestsWithoutABodyHaveNone shows what single sending does not change.
func TestRequestsWithoutABodyHaveNone(t *testing.T) {
	seen := make(chan *http.Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r }))
	defer server.Close()
	transport := NewTransport(&Guard{Allow: loopback}, nil)
	defer transport.CloseIdleConnections()
	for _, method := range []string{"GET", "HEAD", "DELETE", "OPTIONS", "POST", "PUT", "PATCH"} {
		if err := attempt(transport, method, server.URL, "", http.Header{}); err != nil {
			t.Fatal(err)
		}
		if r := <-seen; r.Method != method || r.ContentLength != 0 || len(r.TransferEncoding) != 0 {
			t.Errorf("%s arrived as %s with %d bytes, encoded %q", method, r.Method, r.ContentLength, r.TransferEncoding)
		}
	}
}

// frozen is a connection whose writes fail once dead is set, as those to a peer
// that has gone without our having noticed.
type frozen struct {
	net.Conn
	dead *atomic.Bool
}

func (f frozen) Write(p []byte) (int, error) {
	if f.dead.Load() {
		return 0, syscall.EPIPE
	}
	return f.Conn.Write(p)
}

func TestWhatWasNeverWrittenGoesToAnotherConnection(t *testing.T) {
	port, requests := receiver(t)
	transport := NewTransport(&Guard{Allow: loopback}, nil)
	defer transport.CloseIdleConnections()
	var newest *atomic.Bool // of the connection dialled last
	dial := transport.plain.dial
	transport.plain.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		newest = new(atomic.Bool)
		return frozen{conn, newest}, err
	}
	for _, header := range markings {
		before := requests()
		if err := attempt(transport, "POST", "http://127.0.0.1:"+port, "{}", header); err != nil {
			t.Fatal(err)
		}
		newest.Store(true)
		if err := attempt(transport, "POST", "http://127.0.0.1:"+port, "{}", header); err != nil {
			t.Errorf("POST with %v on a connection that was dead before = %v, want a new connection", header, err)
		}
		if got := requests() - before; got != 2 {
			t.Errorf("two attempts with %v were %d requests", header, got)
		}
	}
}

// h2Server speaks just enough HTTP/2 (RFC 9113) to read requests whole and
// abort the first of them with frame.
func h2Server(t *testing.T, frame func(stream byte) []byte) (url string, config *tls.Config, requests *atomic.Int32) {
	t.Helper()
	donor := tlsServer(t, true, nil)
	config = donor.TLS.Clone()
	config.NextProtos = []string{"h2"}
	listener, err := tls.Listen("tcp4", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	requests = new(atomic.Int32)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveH2(conn, requests, frame)
		}
	}()
	return "https://" + listener.Addr().String(), trusting(donor), requests
}

func serveH2(conn net.Conn, requests *atomic.Int32, abort func(stream byte) []byte) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	r.Discard(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	conn.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0}) // SETTINGS
	for {
		var head [9]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return
		}
		r.Discard(int(head[0])<<16 | int(head[1])<<8 | int(head[2]))
		kind, flags, stream := head[3], head[4], head[8]
		if kind == 4 && flags&1 == 0 {
			conn.Write([]byte{0, 0, 0, 4, 1, 0, 0, 0, 0}) // SETTINGS, acknowledged
		}
		if kind > 1 || flags&1 == 0 {
			continue // neither DATA nor HEADERS, or not the end of a request
		}
		if requests.Add(1) == 2 {
			conn.Write(abort(stream))
		} else {
			conn.Write([]byte{0, 0, 1, 1, 5, 0, 0, 0, stream, 0x88}) // HEADERS: 200, and the end
		}
	}
}

// aborts are the three ways that net/http takes for leave to send again.
var aborts = map[string]func(stream byte) []byte{
	"REFUSED_STREAM": func(stream byte) []byte { return []byte{0, 0, 4, 3, 0, 0, 0, 0, stream, 0, 0, 0, 7} },
	"PROTOCOL_ERROR": func(stream byte) []byte { return []byte{0, 0, 4, 3, 0, 0, 0, 0, stream, 0, 0, 0, 1} },
	"GOAWAY":         func(byte) []byte { return []byte{0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0} }, // last stream: 1
}

func TestOneAttemptIsOneRequestAlthoughTheStreamIsAborted(t *testing.T) {
	for name, abort := range aborts {
		for _, method := range []string{"POST", "GET", "DELETE"} {
			url, config, requests := h2Server(t, abort)
			transport := NewTransport(&Guard{Allow: loopback}, config)
			body := map[string]string{"POST": "{}"}[method]
			if err := attempt(transport, method, url, body, http.Header{}); err != nil {
				t.Fatal(err)
			}
			err := attempt(transport, method, url, body, http.Header{})
			transport.CloseIdleConnections()
			if got := Class(err); got != webhook.ErrorReset {
				t.Errorf("%s after %s: class %q of %v, want %q", method, name, got, err, webhook.ErrorReset)
			}
			if requests.Load() != 2 {
				t.Errorf("two attempts to %s, one met by %s, were %d requests", method, name, requests.Load())
			}
		}
		url, config, requests := h2Server(t, abort)
		bare := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
		for range 2 {
			if err := attempt(bare, "POST", url, "{}", http.Header{}); err != nil {
				t.Errorf("net/http alone after %s = %v, want it to try again", name, err)
			}
		}
		bare.CloseIdleConnections()
		if requests.Load() != 3 {
			t.Errorf("net/http alone made %d requests of two after %s, want 3: this test proves nothing now", requests.Load(), name)
		}
	}
}

func TestABodyThatCannotBeGotAgainIsStillSent(t *testing.T) {
	port, requests := receiver(t)
	transport := NewTransport(&Guard{Allow: loopback}, nil)
	defer transport.CloseIdleConnections()
	req, _ := http.NewRequest("POST", "http://127.0.0.1:"+port, io.NopCloser(strings.NewReader("{}")))
	resp, err := transport.RoundTrip(req)
	if err != nil || requests() != 1 {
		t.Fatalf("RoundTrip = %v after %d requests", err, requests())
	}
	resp.Body.Close()
}
