package egress

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// trusting returns a configuration that knows server's certificate.
func trusting(server *httptest.Server) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return &tls.Config{RootCAs: roots}
}

// tlsServer serves handler over TLS on loopback, with HTTP/2 if h2.
func tlsServer(t *testing.T, h2 bool, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = h2
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestConnectionsAreKept(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		var conns atomic.Int32
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
		server.EnableHTTP2 = h2
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				conns.Add(1)
			}
		}
		server.StartTLS()
		defer server.Close()
		client := NewClient(NewTransport(&Guard{Allow: loopback}, trusting(server)))
		for range 10 {
			proto := exchange(t, client, server.URL)
			if want := map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[h2]; proto != want {
				t.Errorf("protocol = %s, want %s", proto, want)
			}
		}
		client.CloseIdleConnections()
		if conns.Load() != 1 {
			t.Errorf("ten requests took %d connections (HTTP/2: %v), want 1", conns.Load(), h2)
		}
	}
}

// exchange posts and returns the answer's body.
func exchange(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	resp, err := client.Post(url, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestTLSSessionsAreResumed(t *testing.T) {
	server := tlsServer(t, false, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("connection", "close")
		if r.TLS.DidResume {
			io.WriteString(w, "resumed")
		}
	})
	client := NewClient(NewTransport(&Guard{Allow: loopback}, trusting(server)))
	exchange(t, client, server.URL)
	if got := exchange(t, client, server.URL); got != "resumed" {
		t.Error("the second connection made a full handshake")
	}
	other := NewClient(NewTransport(&Guard{Allow: loopback}, trusting(server)))
	if got := exchange(t, other, server.URL); got == "resumed" {
		t.Error("two transports share TLS sessions")
	}
}

func TestAnswersAreHandedBackAsTheyAre(t *testing.T) {
	asked := make(chan *http.Request, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	transport := NewTransport(&Guard{Allow: loopback}, nil)
	defer transport.CloseIdleConnections()
	for range 2 {
		req, _ := http.NewRequest("POST", server.URL, strings.NewReader("{}"))
		resp, err := NewClient(transport).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusTemporaryRedirect || resp.Request != req {
			t.Errorf("answer = %s to %p, want the redirect itself, to %p", resp.Status, resp.Request, req)
		}
		seen := <-asked
		if seen.Header.Get("Accept-Encoding") != "" || seen.Header.Get("Cookie") != "" || seen.URL.Path != "/" {
			t.Errorf("request to %s carried %v, want no encoding, no cookie", seen.URL, seen.Header)
		}
	}
	if len(asked) != 0 {
		t.Error("the redirect was followed")
	}
}

func TestTransportsLeaveTheConfigurationAlone(t *testing.T) {
	config := &tls.Config{}
	transport := NewTransport(&Guard{}, config)
	if config.ClientSessionCache != nil || config.MinVersion != 0 || len(config.NextProtos) != 0 {
		t.Errorf("the caller's configuration was changed: %+v", config)
	}
	if got := transport.secure.TLSClientConfig.MinVersion; got != tls.VersionTLS12 {
		t.Errorf("least TLS version = %x, want 1.2", got)
	}
}
