package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// wire serves raw bytes: what comes is handed, after its first read, to answer.
func wire(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				conn.Read(make([]byte, 4096))
				answer(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// says answers with text and hangs up; stays answers and never does.
func says(text string) func(net.Conn) { return func(conn net.Conn) { io.WriteString(conn, text) } }

func stays(text string) func(net.Conn) {
	return func(conn net.Conn) {
		io.WriteString(conn, text)
		io.Copy(io.Discard, conn)
	}
}

func drips(conn net.Conn) {
	io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
	for {
		if _, err := conn.Write([]byte("x")); err != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// resets hangs up so that the other side is told of an error.
func resets(conn net.Conn) { conn.(*net.TCPConn).SetLinger(0) }

func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func TestFailuresHaveTheClassOfTheContract(t *testing.T) {
	unknown := tlsServer(t, true, nil)
	needsCertificate := httptest.NewUnstartedServer(nil)
	needsCertificate.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	needsCertificate.Config.ErrorLog = quiet
	needsCertificate.StartTLS()
	defer needsCertificate.Close()
	tooOld := httptest.NewUnstartedServer(nil)
	tooOld.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	tooOld.Config.ErrorLog = quiet
	tooOld.StartTLS()
	defer tooOld.Close()
	_, plainPort, _ := net.SplitHostPort(wire(t, says("HTTP/1.1 200 OK\r\n\r\n")))
	_, strangePort, _ := net.SplitHostPort(wire(t, says("220 mail.example ESMTP\r\n")))

	dns := newNameserver(t)
	dns.script("empty.example")
	dns.script("other.example", addrs("127.0.0.1"))
	_, unknownPort, _ := net.SplitHostPort(unknown.Listener.Addr().String())
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()

	for _, tt := range []struct {
		name, url string
		config    *tls.Config
		resolver  string
		want      webhook.ErrorClass
	}{
		{"unknown name", "https://none.example", nil, dns.address(), webhook.ErrorDNS},
		{"name without addresses", "https://empty.example", nil, dns.address(), webhook.ErrorDNS},
		{"silent name server", "https://slow.example", nil, silent.LocalAddr().String(), webhook.ErrorTimeout},
		{"closed port", "http://" + closedPort(t), nil, "", webhook.ErrorConnect},
		{"unknown authority", unknown.URL, nil, "", webhook.ErrorTLS},
		{"certificate for another name", "https://other.example:" + unknownPort, trusting(unknown), dns.address(), webhook.ErrorTLS},
		{"no certificate of ours", needsCertificate.URL, trusting(needsCertificate), "", webhook.ErrorTLS},
		{"TLS 1.1", tooOld.URL, trusting(tooOld), "", webhook.ErrorTLS},
		{"HTTP where https was meant", "https://127.0.0.1:" + plainPort, nil, "", webhook.ErrorTLS},
		{"mail where https was meant", "https://127.0.0.1:" + strangePort, nil, "", webhook.ErrorTLS},
		{"silent handshake", "https://" + wire(t, stays("")), nil, "", webhook.ErrorTimeout},
		{"no answer", "http://" + wire(t, stays("")), nil, "", webhook.ErrorTimeout},
		{"half an answer, then silence", "http://" + wire(t, stays("HTTP/1.1 200 O")), nil, "", webhook.ErrorTimeout},
		{"a slow drip", "http://" + wire(t, drips), nil, "", webhook.ErrorTimeout},
		{"hung up", "http://" + wire(t, says("")), nil, "", webhook.ErrorReset},
		{"hung up in the handshake", "https://" + wire(t, says("")), nil, "", webhook.ErrorReset},
		{"reset", "http://" + wire(t, resets), nil, "", webhook.ErrorReset},
		{"half an answer", "http://" + wire(t, says("HTTP/1.1 200 O")), nil, "", webhook.ErrorReset},
		{"half a body", "http://" + wire(t, says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")), nil, "", webhook.ErrorReset},
		{"no HTTP", "http://" + wire(t, says("220 mail.example ESMTP\r\n")), nil, "", webhook.ErrorReset},
		{"endless headers", "http://" + wire(t, stays("HTTP/1.1 200 OK\r\nx: "+strings.Repeat("x", 2*maxHeader))), nil, "", webhook.ErrorReset},
		{"a refused address", "http://10.0.0.1", nil, "", webhook.ErrorRefused},
	} {
		patience := 20 * time.Second
		if tt.want == webhook.ErrorTimeout {
			patience = 200 * time.Millisecond // these servers would never end
		}
		err := attemptFor(t, patience, &Guard{Allow: loopback, ResolverAddress: tt.resolver}, tt.config, tt.url)
		if got := Class(err); err == nil || got != tt.want {
			t.Errorf("%s: class %q of error %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

// attemptFor posts to url and reads the answer, all within patience.
func attemptFor(t *testing.T, patience time.Duration, g *Guard, config *tls.Config, url string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	transport := NewTransport(g, config)
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := NewClient(transport).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func TestWhatWeCancelIsNobodysFault(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	transport := NewTransport(&Guard{Allow: loopback}, nil)
	defer transport.CloseIdleConnections()
	address := wire(t, func(conn net.Conn) {
		cancel()
		io.Copy(io.Discard, conn)
	})
	req, _ := http.NewRequestWithContext(ctx, "POST", "http://"+address, strings.NewReader("{}"))
	_, err := NewClient(transport).Do(req)
	if got := Class(err); !errors.Is(err, context.Canceled) || got != "" {
		t.Errorf("class %q of %v, want none", got, err)
	}
	if got := Class(nil); got != "" {
		t.Errorf("Class(nil) = %q, want none", got)
	}
}

func TestWrappingKeepsTheClass(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want webhook.ErrorClass
	}{
		{&Refused{Host: "10.0.0.1", Reason: "no"}, webhook.ErrorRefused},
		{&net.DNSError{IsTimeout: true}, webhook.ErrorDNS},
		{context.DeadlineExceeded, webhook.ErrorTimeout},
		{errSent, webhook.ErrorReset},
		{io.ErrUnexpectedEOF, webhook.ErrorReset},
		{&net.OpError{Op: "dial", Err: errors.New("no route to host")}, webhook.ErrorConnect},
		{&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, webhook.ErrorReset},
		{errors.New("anything else"), webhook.ErrorReset},
	} {
		wrapped := fmt.Errorf("post: %w", &url.Error{Op: "Post", URL: "https://example.com", Err: tt.err})
		if got := Class(wrapped); got != tt.want {
			t.Errorf("Class(%v) = %q, want %q", wrapped, got, tt.want)
		}
	}
}
