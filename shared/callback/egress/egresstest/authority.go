// Package egresstest makes certificates, and servers that have and require
// them, for tests of HTTP clients.
package egresstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// Life is how long certificates are good, from a minute ago.
const Life = 365 * 24 * time.Hour

// Authority is one that nobody knows.
type Authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// New makes an authority.
func New(t testing.TB, name string) *Authority {
	t.Helper()
	a := &Authority{t: t}
	a.key, a.cert = a.make(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, Life)
	return a
}

// make signs a certificate by the authority, or by its own key if that is none
// yet.
func (a *Authority) make(template *x509.Certificate, life time.Duration) (*ecdsa.PrivateKey, *x509.Certificate) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	now := time.Now()
	template.SerialNumber = big.NewInt(now.UnixNano())
	template.NotBefore, template.NotAfter = now.Add(min(life, 0)-time.Minute), now.Add(life)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, cert
}

// PEM is the authority's certificate.
func (a *Authority) PEM() string { return certificatePEM(a.cert) }

// Client makes a client's certificate and its key, good for some time from now;
// less than nothing is over.
func (a *Authority) Client(name string, life time.Duration) (certificate, key string) {
	a.t.Helper()
	k, c := a.make(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, life)
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		a.t.Fatal(err)
	}
	return certificatePEM(c), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func certificatePEM(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// Server is a server on 127.0.0.1 with a certificate of an authority.
type Server struct {
	*httptest.Server
	Closed chan string // addresses of clients whose connections have ended
}

// Serve starts one. It takes certificates of the authority from clients that
// have one, and speaks HTTP/2 if asked to.
func (a *Authority) Serve(handler http.Handler, http2 bool) *Server {
	a.t.Helper()
	s := &Server{Server: httptest.NewUnstartedServer(handler), Closed: make(chan string, 1000)}
	s.EnableHTTP2 = http2
	s.TLS = a.config()
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			s.Closed <- c.RemoteAddr().String()
		}
	}
	s.Config.ErrorLog = log.New(a.t.Output(), "", 0)
	s.StartTLS()
	a.t.Cleanup(s.Close)
	return s
}

// config is that of a server on 127.0.0.1.
func (a *Authority) config() *tls.Config {
	a.t.Helper()
	key, cert := a.make(&x509.Certificate{
		Subject: pkix.Name{CommonName: "server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, Life)
	clients := x509.NewCertPool()
	clients.AddCert(a.cert)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}},
		ClientAuth:   tls.VerifyClientCertIfGiven, ClientCAs: clients,
	}
}

// Name is the name in the certificate that a request's client has shown; "" for
// none.
func Name(r *http.Request) string {
	if len(r.TLS.PeerCertificates) == 0 {
		return ""
	}
	return r.TLS.PeerCertificates[0].Subject.CommonName
}
