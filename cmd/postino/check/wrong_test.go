package check_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/check"
	"github.com/postino/postino/cmd/postino/server"
)

// answering is the address of a server that always answers the same.
func answering(t *testing.T, status int, kind, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // the client sees what is missing
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// redirecting is the address of a server that sends its clients elsewhere.
func redirecting(t *testing.T, to string) string {
	t.Helper()
	s := httptest.NewServer(http.RedirectHandler(to, http.StatusMovedPermanently))
	t.Cleanup(s.Close)
	return s.URL
}

// secured is a server that speaks TLS, with a certificate for example.com and
// 127.0.0.1, or with the one given.
func secured(t *testing.T, own ...tls.Certificate) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{Certificates: own}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// expired is a certificate that was valid yesterday.
func expired(t *testing.T) tls.Certificate {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(-24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
}

// closed is the address of a port on which nobody listens any more.
func closed(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

// tenantKey is a key that may do much in one tenant, and nothing beside it.
func tenantKey(t *testing.T, s *server.Server) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL()+"/v1/tenants/acme/keys", strings.NewReader(`{"role":"manage"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var made struct{ Key string }
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil || made.Key == "" {
		t.Fatalf("make a key: %d, %v", resp.StatusCode, err)
	}
	return made.Key
}

// TestACheckOfTheWrongPlaceSaysWhereItIs: of another server, of a stack that is not
// complete, and with a key that is none.
func TestACheckOfTheWrongPlaceSaysWhereItIs(t *testing.T) {
	s := start(t)
	https := strings.Replace(s.URL(), "http://", "https://", 1)
	tls := secured(t)
	for _, tt := range []struct{ about, endpoint, key, want string }{
		{"no scheme", "postino.example.com", key, "-endpoint is \"postino.example.com\": want an address such as https://"},
		{"a route", s.URL() + "/v1/tenants/acme", key, "leave out what follows the host, and write " + s.URL()},
		{"a closed port", closed(t), key, "does the server run, with this port in -addr?"},
		{"a web page", answering(t, 200, "text/html; charset=utf-8", "<html>Sign in</html>"), key, "is a web page and not from Postino: a proxy or a login page"},
		{"a web page that is an error", answering(t, 404, "text/html", "<html>404</html>"), key, "status 404: the response is a web page"},
		{"a redirect", redirecting(t, "https://www.example.com/"), key, "it redirects to https://www.example.com/: name the address of Postino itself"},
		{"another JSON API", answering(t, 200, "application/json", `{"status":"UP"}`), key, "is not Postino; is that the output Endpoint?"},
		{"text", answering(t, 200, "text/plain", "hello"), key, `the response is not from Postino: "hello"`},
		{"a name that the certificate has not", strings.Replace(tls, "127.0.0.1", "localhost", 1), key, "the certificate is for example.com"},
		{"a certificate of nobody", tls, key, "is of an authority that this machine does not know"},
		{"a certificate of yesterday", secured(t, expired(t)), key, "renew it, or compare the clock"},
		{"https where http is spoken", https, key, "does not speak https: write http://"},
		{"http where https is spoken", strings.Replace(tls, "https://", "http://", 1), key, "it speaks https: write https:// in -endpoint"},
		{"a stack without routes", answering(t, 404, "application/json", `{"message":"Not Found"}`), key, "has no such route: is the stack CREATE_COMPLETE"},
		{"a domain without mapping", answering(t, 403, "application/json", `{"message":"Forbidden"}`), key, "does the domain have its mapping"},
		{"a function that does not start", answering(t, 500, "application/json", `{"message":"Internal Server Error"}`), key, "its function does not: is the stack complete, and what does the log of manage say?"},
		{"functions that are throttled", answering(t, 503, "application/json", `{"message":"Service Unavailable"}`), key, "look at the account's concurrent executions"},
		{"a wrong key", s.URL(), "another-key-of-16-letters", "The key is not the admin key. The output AdminKeyCommand prints it"},
		{"a key without admin rights", s.URL(), tenantKey(t, s), "It is a key of one tenant: the check needs the admin key"},
		{"a key with a line break", s.URL(), key + "\n", "-key has a blank or a line break"},
		{"what a shell makes of no key", s.URL(), "None", `-key is "None", which is no key: run the output AdminKeyCommand`},
	} {
		t.Run(tt.about, func(t *testing.T) {
			said, err := looked(t, check.Check{Endpoint: tt.endpoint, Key: tt.key, Wait: time.Second})
			if err == nil {
				t.Fatalf("it passes:\n%s", said)
			}
			if said += err.Error(); !strings.Contains(said, tt.want) || strings.Contains(said, "callback  ") {
				t.Errorf("it says\n%s\nwant %q, and no step that makes no sense any more", said, tt.want)
			}
		})
	}
}
