package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server"
)

// files are where a server's certificate is.
type files struct{ cert, key string }

func newFiles(t *testing.T) files {
	dir := t.TempDir()
	return files{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
}

// write puts a new certificate of 127.0.0.1 there, and returns who trusts it.
func (f files) write(t *testing.T, name string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{f.cert: {Type: "CERTIFICATE", Bytes: der}, f.key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool
}

// client trusts what is in the pool, and speaks HTTP/2 if it may.
func client(t *testing.T, trusts *x509.CertPool, http2 bool) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusts}, ForceAttemptHTTP2: http2}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// name asks for the certificate's name, and the protocol.
func name(t *testing.T, c *http.Client, url string) (name, protocol string) {
	t.Helper()
	resp, err := c.Get(url + "/healthz")
	if err != nil {
		return err.Error(), ""
	}
	resp.Body.Close()
	return resp.TLS.PeerCertificates[0].Subject.CommonName, resp.Proto
}

func TestRequestsComeByTLS(t *testing.T) {
	f := newFiles(t)
	trusts := f.write(t, "one")
	a := open(t, func(c *server.Config) { c.TLSCert, c.TLSKey, c.MaxConnections = f.cert, f.key, 4 })
	if !strings.HasPrefix(a.s.URL(), "https://127.0.0.1:") {
		t.Errorf("URL() = %q, want https", a.s.URL())
	}
	for http2, want := range map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"} {
		c := client(t, trusts, http2)
		if got, protocol := name(t, c, a.s.URL()); got != "one" || protocol != want {
			t.Errorf("with HTTP/2 %v: answered %q by %s, want one by %s", http2, got, protocol, want)
		}
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				r, err := http.NewRequest("PUT", a.s.URL()+"/v1/tenants/acme/subscriptions/s", strings.NewReader(`{"url":"https://a.example"}`))
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Authorization", "Bearer "+key)
				resp, err := c.Do(r)
				if err != nil {
					if http2 { // others need a connection each, and give way
						t.Error(err)
					}
					return
				}
				resp.Body.Close()
				if resp.StatusCode >= 500 {
					t.Errorf("answered %s", resp.Status)
				}
			})
		}
		all.Wait()
	}
	old := &tls.Config{RootCAs: trusts, MaxVersion: tls.VersionTLS11}
	if c, err := tls.Dial("tcp", strings.TrimPrefix(a.s.URL(), "https://"), old); err == nil {
		c.Close()
		t.Error("a client of TLS 1.1 was taken")
	}
	if resp, err := http.Get("http" + strings.TrimPrefix(a.s.URL(), "https")); err == nil {
		resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("in the clear: %s, want a refusal", resp.Status)
		}
	}
}

func TestANewCertificateIsTakenUpWithoutARestart(t *testing.T) {
	f := newFiles(t)
	one := f.write(t, "one")
	a := open(t, func(c *server.Config) { c.TLSCert, c.TLSKey = f.cert, f.key })
	if got, _ := name(t, client(t, one, true), a.s.URL()); got != "one" {
		t.Fatalf("answered %q, want one", got)
	}
	two := f.write(t, "two")
	good, err := os.ReadFile(f.key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.key, []byte("half of it"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // the files are looked at each second
	if got, _ := name(t, client(t, one, true), a.s.URL()); got != "one" {
		t.Errorf("while the key is broken: answered %q, want one", got)
	}
	if err := os.WriteFile(f.key, good, 0o600); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		got, _ := name(t, client(t, two, true), a.s.URL())
		if got == "two" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("answered %q, want two", got)
		}
	}
}

func TestFilesThatAreNoCertificateAreRefused(t *testing.T) {
	f, other := newFiles(t), newFiles(t)
	f.write(t, "one")
	other.write(t, "other")
	for _, tt := range []struct{ cert, key, want string }{
		{f.cert, "", "-tls-cert and -tls-key belong together"},
		{"", f.key, "-tls-cert and -tls-key belong together"},
		{f.cert, f.key + ".none", "no such file"},
		{f.cert, f.cert, "-tls-cert, -tls-key: "},
		{f.cert, other.key, "private key does not match public key"},
	} {
		c := server.Config{Addr: "127.0.0.1:0", Data: t.TempDir(), TLSCert: tt.cert, TLSKey: tt.key, Log: slog.New(slog.DiscardHandler)}
		if _, err := server.Start(t.Context(), c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Start with %q and %q: %v, want %q", tt.cert, tt.key, err, tt.want)
		}
		if entries, err := os.ReadDir(c.Data); err != nil || len(entries) > 0 {
			t.Errorf("a server that does not start made %v", entries)
		}
	}
}
