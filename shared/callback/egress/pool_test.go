package egress_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"testing"

	"github.com/postino/postino/shared/callback/egress"
	"github.com/postino/postino/shared/callback/egress/egresstest"
)

// seen is what a server knows of one request.
type seen struct {
	client  string // address: one for each connection
	name    string // in the client's certificate
	resumed bool
}

// visit asks as one of a pool's clients.
func visit(t *testing.T, pool *egress.Pool, name, url string, config *tls.Config) seen {
	t.Helper()
	resp, err := pool.Client("acme", name, func() *tls.Config { return config }).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	var s seen
	if _, err := fmt.Sscanf(string(text), "%q %q %t", &s.client, &s.name, &s.resumed); err != nil {
		t.Fatal(err)
	}
	return s
}

// tell answers with what a server knows; to /last on the connection's end.
func tell(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/last" {
		w.Header().Set("Connection", "close")
	}
	fmt.Fprintf(w, "%q %q %t", r.RemoteAddr, egresstest.Name(r), r.TLS.DidResume)
}

func identity(t *testing.T, ca *egresstest.Authority, name string) *tls.Config {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ca.PEM()))
	config := &tls.Config{RootCAs: roots}
	if name != "" {
		pair, err := tls.X509KeyPair(pems(ca.Client(name, egresstest.Life)))
		if err != nil {
			t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config
}

func pems(certificate, key string) ([]byte, []byte) { return []byte(certificate), []byte(key) }

func loopback() *egress.Guard {
	return &egress.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
}

func TestSetsOfCertificatesShareNeitherConnectionsNorSessions(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		ca := egresstest.New(t, "ca")
		s := ca.Serve(http.HandlerFunc(tell), http2)
		pool := egress.NewPool(loopback())
		clients := map[string]string{} // by connection
		for _, name := range []string{"one", "two", ""} {
			config := identity(t, ca, name)
			first, second := visit(t, pool, name, s.URL, config), visit(t, pool, name, s.URL+"/last", config)
			if first.client != second.client {
				t.Errorf("http2 %v: %q opened two connections for two requests", http2, name)
			}
			third := second
			for third.client == second.client { // over HTTP/2 the news of the end may come a little later
				third = visit(t, pool, name, s.URL, config)
			}
			if first.resumed || !third.resumed {
				t.Errorf("http2 %v: resumed sessions of %q: first %v, third %v, want the third only", http2, name, first.resumed, third.resumed)
			}
			for _, got := range []seen{first, second, third} {
				if other, taken := clients[got.client]; taken && other != name || got.name != name {
					t.Errorf("http2 %v: %q came as %q, on a connection of %q", http2, name, got.name, other)
				}
				clients[got.client] = name
			}
		}
	}
}

func TestAConnectionIsNotUsedForThoseWhoTrustOthers(t *testing.T) {
	ca := egresstest.New(t, "ca")
	s := ca.Serve(http.HandlerFunc(tell), true)
	pool := egress.NewPool(loopback())
	visit(t, pool, "trusts it", s.URL, identity(t, ca, ""))
	stranger := identity(t, egresstest.New(t, "other"), "")
	resp, err := pool.Client("acme", "trusts another", func() *tls.Config { return stranger }).Get(s.URL)
	if err == nil {
		resp.Body.Close()
		t.Fatal("a connection that was open served a client that does not trust its certificate")
	}
	if class := egress.Class(err); class != "tls" {
		t.Errorf("error %v of class %q, want tls", err, class)
	}
}

func TestAPoolIsBoundedAndClosesWhatItDrops(t *testing.T) {
	ca := egresstest.New(t, "ca")
	s := ca.Serve(http.HandlerFunc(tell), false)
	pool, config := egress.NewPool(loopback()), identity(t, ca, "")
	first := visit(t, pool, "first", s.URL, config)
	for i := range 64 {
		visit(t, pool, fmt.Sprint(i), s.URL, config)
	}
	if closed := <-s.Closed; closed != first.client {
		t.Errorf("%s was closed first, want %s, the connection of the one dropped", closed, first.client)
	}
	if again := visit(t, pool, "first", s.URL, config); again.client == first.client || again.resumed {
		t.Errorf("who comes back has the old connection or session: %+v", again)
	}
}

func TestTheGuardHoldsForEveryClientOfAPool(t *testing.T) {
	ca := egresstest.New(t, "ca")
	s := ca.Serve(http.HandlerFunc(tell), false)
	config := identity(t, ca, "")
	resp, err := egress.NewPool(&egress.Guard{}).Client("acme", "x", func() *tls.Config { return config }).Get(s.URL)
	if err == nil {
		resp.Body.Close()
	}
	if class := egress.Class(err); class != "refused_address" {
		t.Errorf("error %v of class %q, want refused_address", err, class)
	}
}

func TestATenantPushesOutItsOwnTransportsFirst(t *testing.T) {
	made := 0
	pool := egress.NewPool(&egress.Guard{})
	ask := func(tenant, name string) {
		pool.Client(tenant, name, func() *tls.Config { made++; return &tls.Config{} })
	}
	ask("quiet", "its certificate")
	for i := range 200 {
		ask("greedy", fmt.Sprint("certificate ", i))
	}
	before := made
	if ask("quiet", "its certificate"); made != before {
		t.Error("a tenant with 200 certificates pushed out the one of another")
	}
	if ask("greedy", "certificate 0"); made != before+1 {
		t.Error("a pool keeps more than 64 transports")
	}
}
