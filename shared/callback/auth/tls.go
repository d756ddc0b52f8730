package auth

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/language/suggest"
)

// The most bytes of each part, so that all of an auth can be sealed together.
const (
	maxCertificate = 12 << 10 // a chain of five or so
	maxKey         = 8 << 10  // RSA with 8192 bits
	maxCA          = 16 << 10
)

// TLS is what a subscription's connections are made with beside what all are:
// a certificate of ours, and authorities of its own. It never changes.
type TLS struct {
	chain []*x509.Certificate // ours, leaf first; nil for none
	key   crypto.Signer       // of its leaf
	roots []*x509.Certificate // nil for the system's
	id    string
}

// parts are the PEM texts of a TLS.
type parts struct {
	Certificate string `json:"certificate,omitempty"`
	Key         string `json:"key,omitempty"`
	CA          string `json:"ca,omitempty"`
}

// readTLS reads {"certificate","key","ca"}; null is absent.
func readTLS(v strictjson.Value) (*TLS, []render.Fault) {
	if v.Kind() != strictjson.Object {
		return nil, []render.Fault{{Field: "auth.tls", Detail: "want an object"}}
	}
	var p parts
	var faults []render.Fault
	fields := map[string]*string{"certificate": &p.Certificate, "key": &p.Key, "ca": &p.CA}
	for name, value := range v.Members() {
		text, ok := value.Text()
		switch to := fields[name]; {
		case to == nil:
			faults = append(faults, render.Fault{Field: "auth.tls." + strictjson.Clip(name, 100), Detail: "unknown field" + suggest.Hint(name, slices.Sorted(maps.Keys(fields)))})
		case value.Kind() != strictjson.Null && !ok:
			faults = append(faults, render.Fault{Field: "auth.tls." + name, Detail: "want a string of PEM"})
		default:
			*to = text
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return newTLS(p)
}

// newTLS judges the parts, each alone and all together.
func newTLS(p parts) (*TLS, []render.Fault) {
	t := &TLS{}
	var faults []render.Fault
	fault := func(field, detail string) {
		if detail != "" {
			faults = append(faults, render.Fault{Field: "auth.tls." + field, Detail: detail})
		}
	}
	var why string
	switch {
	case p.Certificate != "":
		t.chain, why = certificates(p.Certificate, maxCertificate)
		fault("certificate", why)
	case p.Key != "":
		fault("certificate", "required beside key")
	case p.CA == "":
		return nil, []render.Fault{{Field: "auth.tls", Detail: "want certificate and key, or ca, or all three"}}
	}
	switch {
	case p.Key != "":
		t.key, why = privateKey(p.Key)
		fault("key", why)
	case p.Certificate != "":
		fault("key", "required beside certificate")
	}
	if p.CA != "" {
		t.roots, why = certificates(p.CA, maxCA)
		fault("ca", why)
	}
	if t.chain != nil && t.key != nil && !belongs(t.key, t.chain[0]) {
		fault("key", "is not the key of the certificate, whose own comes first")
	}
	if len(faults) > 0 {
		return nil, faults
	}
	t.id = t.identify()
	return t, nil
}

// certificates reads one or more certificates; why tells what is wrong.
func certificates(text string, most int) (list []*x509.Certificate, why string) {
	if why := refusePEM(text, most); why != "" {
		return nil, why
	}
	rest := []byte(text)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, "want certificates only, each -----BEGIN CERTIFICATE-----"
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Sprintf("certificate %d cannot be read", len(list)+1)
		}
		list = append(list, c)
	}
	if len(list) == 0 || strings.TrimSpace(string(rest)) != "" {
		return nil, "want PEM: -----BEGIN CERTIFICATE-----, base64, -----END CERTIFICATE-----"
	}
	return list, ""
}

func refusePEM(text string, most int) string {
	switch {
	case strings.Contains(text, render.Stars):
		return "*** stands for what is not shown: give it itself"
	case len(text) > most:
		return fmt.Sprintf("want at most %d bytes", most)
	}
	return ""
}

// privateKey reads the one private key of a PEM text.
func privateKey(text string) (crypto.Signer, string) {
	if why := refusePEM(text, maxKey); why != "" {
		return nil, why
	}
	for rest := []byte(text); ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		switch {
		case block == nil:
			return nil, "want PEM: -----BEGIN PRIVATE KEY-----, base64, -----END PRIVATE KEY-----"
		case strings.HasPrefix(block.Type, "ENCRYPTED ") || block.Headers["DEK-Info"] != "":
			return nil, "want a key without a passphrase"
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return parseKey(block.Bytes)
		}
	}
}

func parseKey(der []byte) (crypto.Signer, string) {
	var parsed any
	var err error
	if parsed, err = x509.ParsePKCS8PrivateKey(der); err != nil {
		if parsed, err = x509.ParsePKCS1PrivateKey(der); err != nil {
			parsed, err = x509.ParseECPrivateKey(der)
		}
	}
	key, ok := parsed.(crypto.Signer)
	if err != nil || !ok {
		return nil, "want an RSA, ECDSA or Ed25519 key in PKCS #8, PKCS #1 or SEC 1"
	}
	if r, ok := key.(*rsa.PrivateKey); ok && (r.N.BitLen() < 2048 || r.N.BitLen() > 8192) {
		return nil, "want an RSA key of 2048 to 8192 bits"
	}
	return key, ""
}

func belongs(key crypto.Signer, leaf *x509.Certificate) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(leaf.PublicKey)
}

// identify names chain and roots; the key is the leaf's, so it needs no part.
func (t *TLS) identify() string {
	h := sha256.New()
	for _, list := range [][]*x509.Certificate{t.chain, t.roots} {
		fmt.Fprintf(h, "%d ", len(list))
		for _, c := range list {
			fmt.Fprintf(h, "%d ", len(c.Raw))
			h.Write(c.Raw)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// ID names it: two with the same one are the same.
func (t *TLS) ID() string { return t.id }

// Config returns what connections are made with. They trust the authorities
// given, or else the system's; if andSystem, both.
func (t *TLS) Config(andSystem bool) *tls.Config {
	config := &tls.Config{}
	if t.chain != nil {
		own := tls.Certificate{PrivateKey: t.key, Leaf: t.chain[0]}
		for _, c := range t.chain {
			own.Certificate = append(own.Certificate, c.Raw)
		}
		config.Certificates = []tls.Certificate{own}
	}
	if t.roots == nil {
		return config
	}
	config.RootCAs = x509.NewCertPool()
	if system, err := x509.SystemCertPool(); andSystem && err == nil {
		config.RootCAs = system
	}
	for _, c := range t.roots {
		config.RootCAs.AddCert(c)
	}
	return config
}

// Expired returns what cannot be used at a time: our certificate, or the last
// of the authorities.
func (t *TLS) Expired(now time.Time) []render.Fault {
	var faults []render.Fault
	if t == nil {
		return nil
	}
	if t.chain != nil && now.After(t.chain[0].NotAfter) {
		faults = append(faults, render.Fault{Field: "auth.tls.certificate", Detail: "has expired on " + day(t.chain[0].NotAfter)})
	}
	var last time.Time
	for _, c := range t.roots {
		if c.NotAfter.After(last) {
			last = c.NotAfter
		}
	}
	if t.roots != nil && now.After(last) {
		faults = append(faults, render.Fault{Field: "auth.tls.ca", Detail: "has expired on " + day(last)})
	}
	return faults
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// view shows which parts there are, and when our certificate ends.
func (t *TLS) view() json.RawMessage {
	shown := struct {
		Certificate *string `json:"certificate"`
		Key         *string `json:"key"`
		CA          *string `json:"ca"`
		ExpiresAt   *string `json:"expires_at"`
	}{}
	stars := render.Stars
	if t.chain != nil {
		end := t.chain[0].NotAfter.UTC().Format("2006-01-02T15:04:05.000Z07:00")
		shown.Certificate, shown.Key, shown.ExpiresAt = &stars, &stars, &end
	}
	if t.roots != nil {
		shown.CA = &stars
	}
	b, err := json.Marshal(shown)
	if err != nil {
		panic("auth: " + err.Error()) // strings
	}
	return b
}

// parts writes it as PEM again.
func (t *TLS) parts() (p parts) {
	for _, c := range t.chain {
		p.Certificate += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	for _, c := range t.roots {
		p.CA += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	if t.key != nil {
		der, err := x509.MarshalPKCS8PrivateKey(t.key)
		if err != nil {
			panic("auth: " + err.Error()) // it was read from one of these forms
		}
		p.Key = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	return p
}
