package auth_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/callback/auth"
	"github.com/postino/postino/shared/callback/egress/egresstest"
	"github.com/postino/postino/shared/language/strictjson"
)

// object writes a JSON object of strings; "" is left out.
func object(pairs ...string) string {
	fields := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fields[pairs[i]] = pairs[i+1]
		}
	}
	b, _ := json.Marshal(fields)
	return string(b)
}

func readTLS(t *testing.T, certificate, key, ca string) *auth.Auth {
	t.Helper()
	a, faults := auth.Read(strictjson.Value(`{"tls":` + object("certificate", certificate, "key", key, "ca", ca) + `}`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return a
}

func TestCertificatesAreKeptAndNotShown(t *testing.T) {
	ca := egresstest.New(t, "ca")
	certificate, key := ca.Client("me", egresstest.Life)
	for _, tt := range []struct{ name, certificate, key, ca, view string }{
		{"all", certificate, key, ca.PEM(), `"certificate":"***","key":"***","ca":"***","expires_at":"20`},
		{"a chain", certificate + ca.PEM(), key, "", `"certificate":"***","key":"***","ca":null,"expires_at":"20`},
		{"authorities", "", "", " " + ca.PEM() + "\n" + egresstest.New(t, "other").PEM() + "\n", `"certificate":null,"key":null,"ca":"***","expires_at":null`},
	} {
		a := readTLS(t, tt.certificate, tt.key, tt.ca)
		if got := string(a.View()); !strings.HasPrefix(got, `{"type":"none","tls":{`+tt.view) {
			t.Errorf("%s: view %s, want …%s", tt.name, got, tt.view)
		}
		again, err := auth.Decode(a.Encode())
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		config := again.TLS().Config(false)
		if again.TLS().ID() != a.TLS().ID() || len(config.Certificates) > 0 != (tt.key != "") || (config.RootCAs != nil) != (tt.ca != "") {
			t.Errorf("%s: decoded it is another", tt.name)
		}
		if name, _ := a.Header(value); name != "" || a.Name() != "" {
			t.Errorf("%s: sets the header %q, want none", tt.name, name)
		}
	}
	both, faults := auth.Read(strictjson.Value(`{"type":"bearer","token":"x","tls":` + object("ca", ca.PEM()) + `}`))
	if name, text := both.Header(value); len(faults) > 0 || name != "authorization" || text != "Bearer x" || both.TLS() == nil {
		t.Errorf("beside bearer: %s: %s, %v", name, text, faults)
	}
	if a, faults := auth.Read(strictjson.Value(`{"type":"none","tls":null}`)); a != nil || len(faults) > 0 {
		t.Errorf("null certificates = %v, %v, want none", a, faults)
	}
}

func TestEachSetOfCertificatesHasItsOwnName(t *testing.T) {
	one, two := egresstest.New(t, "one"), egresstest.New(t, "two")
	c1, k1 := one.Client("me", egresstest.Life)
	c2, k2 := one.Client("me", egresstest.Life)
	seen := map[string]string{}
	for name, a := range map[string]*auth.Auth{
		"ca one": readTLS(t, "", "", one.PEM()), "ca two": readTLS(t, "", "", two.PEM()), "both": readTLS(t, "", "", one.PEM()+two.PEM()),
		"first": readTLS(t, c1, k1, ""), "second": readTLS(t, c2, k2, ""), "chain": readTLS(t, c1+one.PEM(), k1, ""),
		"first with ca": readTLS(t, c1, k1, one.PEM()), "second with ca": readTLS(t, c2, k2, one.PEM()),
	} {
		if other, taken := seen[a.TLS().ID()]; taken {
			t.Errorf("%s and %s have one name", name, other)
		}
		seen[a.TLS().ID()] = name
	}
}

func TestBadCertificatesAreRefusedByField(t *testing.T) {
	ca := egresstest.New(t, "ca")
	certificate, key := ca.Client("me", egresstest.Life)
	_, otherKey := ca.Client("other", egresstest.Life)
	small, _ := rsa.GenerateKey(rand.Reader, 1024)
	smallKey := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(small)}))
	_, edwards, _ := ed25519.GenerateKey(nil)
	der, _ := x509.MarshalPKCS8PrivateKey(edwards)
	edwardsKey := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	for _, tt := range []struct{ tls, field, about string }{
		{`7`, "auth.tls", "object"},
		{`{}`, "auth.tls", "want certificate and key"},
		{`{"certificate":null}`, "auth.tls", "want certificate and key"},
		{`{"pfx":"x"}`, "auth.tls.pfx", "unknown"},
		{`{"ca":7}`, "auth.tls.ca", "string"},
		{object("certificate", certificate), "auth.tls.key", "required"},
		{object("key", key), "auth.tls.certificate", "required"},
		{object("certificate", certificate, "key", "***"), "auth.tls.key", "***"},
		{object("certificate", certificate, "key", otherKey), "auth.tls.key", "is not the key"},
		{object("certificate", certificate, "key", edwardsKey), "auth.tls.key", "is not the key"},
		{object("certificate", certificate, "key", smallKey), "auth.tls.key", "2048"},
		{object("certificate", certificate, "key", certificate), "auth.tls.key", "want PEM"},
		{object("certificate", certificate, "key", strings.ReplaceAll(key, "PRIVATE", "ENCRYPTED PRIVATE")), "auth.tls.key", "passphrase"},
		{object("certificate", certificate, "key", "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n"), "auth.tls.key", "PKCS"},
		{object("certificate", certificate, "key", strings.Repeat("x", 9<<10)), "auth.tls.key", "8192"},
		{object("certificate", key, "key", key), "auth.tls.certificate", "certificates only"},
		{object("ca", "hello"), "auth.tls.ca", "want PEM"},
		{object("ca", ca.PEM()+"hello"), "auth.tls.ca", "want PEM"},
		{object("ca", ca.PEM()[:len(ca.PEM())/2]), "auth.tls.ca", "want PEM"},
		{object("ca", "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"), "auth.tls.ca", "certificate 1"},
		{object("ca", strings.Repeat(ca.PEM(), 40)), "auth.tls.ca", "16384"},
	} {
		_, faults := auth.Read(strictjson.Value(`{"tls":` + tt.tls + `}`))
		if len(faults) != 1 || faults[0].Field != tt.field || !strings.Contains(faults[0].Detail, tt.about) {
			t.Errorf("%.80s: faults = %v, want one of %s about %q", tt.tls, faults, tt.field, tt.about)
		}
	}
}

func TestWhatHasExpiredIsNamed(t *testing.T) {
	ca := egresstest.New(t, "ca")
	certificate, key := ca.Client("me", time.Hour)
	a := readTLS(t, certificate, key, ca.PEM())
	if faults := a.TLS().Expired(time.Now()); len(faults) > 0 {
		t.Errorf("today %v has expired", faults)
	}
	if faults := a.TLS().Expired(time.Now().Add(2 * time.Hour)); len(faults) != 1 || faults[0].Field != "auth.tls.certificate" {
		t.Errorf("in two hours %v has expired, want the certificate", faults)
	}
	if faults := a.TLS().Expired(time.Now().Add(2 * egresstest.Life)); len(faults) != 2 {
		t.Errorf("in two years %v has expired, want both", faults)
	}
}

func FuzzReadTLS(f *testing.F) {
	f.Add("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n", "-----BEGIN EC PRIVATE KEY-----\naGVsbG8=\n-----END EC PRIVATE KEY-----\n", "x")
	f.Fuzz(func(t *testing.T, certificate, key, ca string) {
		a, faults := auth.Read(strictjson.Value(`{"tls":` + object("certificate", certificate, "key", key, "ca", ca) + `}`))
		if (a == nil) != (len(faults) > 0) {
			t.Fatalf("read %v with faults %v", a, faults)
		}
	})
}
