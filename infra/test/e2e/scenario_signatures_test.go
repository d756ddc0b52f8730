package e2e

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

var signatureScenarios = []scenario{
	{name: "signatures are what anybody computes from the specification", play: signaturesAreIndependent},
	{name: "three rotated secrets all verify", play: rotatedSecretsAllVerify},
	{name: "hmac to ed25519 to hmac", play: kindsOfSignaturesMix},
	{name: "a rotation takes effect on the very next request", play: rotationTakesEffectAtOnce},
	{name: "six secrets are one too many", play: rotationsAreBounded},
	{name: "bad secrets are refused", play: badSecretsAreRefused},
}

// signed returns the callback's signatures of one kind, decoded.
func signed(s *scene, c callback, kind string) (signatures [][]byte) {
	s.Helper()
	for _, one := range strings.Fields(c.headers.Get("webhook-signature")) {
		name, text, _ := strings.Cut(one, ",")
		signature, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			s.Fatal(err)
		}
		if name == kind {
			signatures = append(signatures, signature)
		}
	}
	return signatures
}

// hmacOf computes a v1 signature from the specification's own words.
func hmacOf(s *scene, c callback, secret string) []byte {
	s.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		s.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", c.id(), c.headers.Get("webhook-timestamp"), c.body)
	return mac.Sum(nil)
}

// library verifies with the official library.
func library(s *scene, c callback, secret string) {
	s.Helper()
	w, err := standardwebhooks.NewWebhook(secret)
	if err == nil {
		err = w.Verify([]byte(c.body), c.headers)
	}
	if err != nil {
		s.Errorf("the official library does not verify the callback: %v", err)
	}
}

func signaturesAreIndependent(s *scene) {
	secret := s.subscribe("s", "")
	s.publish("e1", `{"n":1}`)
	c := s.came("s", 1)[0]
	if got := signed(s, c, "v1"); len(got) != 1 || !hmac.Equal(got[0], hmacOf(s, c, secret)) {
		s.Errorf("signature %s is not that of the specification", c.headers.Get("webhook-signature"))
	}
	library(s, c, secret)
}

// rotate gives a subscription another secret and returns it.
func (s *scene) rotate(id, body string) string {
	s.Helper()
	return s.must(200, "POST", "/subscriptions/"+id+"/rotate-secret", body).str("secret")
}

func rotatedSecretsAllVerify(s *scene) {
	secrets := []string{s.subscribe("s", ""), s.rotate("s", ""), s.rotate("s", `{"overlap":"2h"}`)}
	if slices.Sort(secrets); len(slices.Compact(secrets)) != 3 {
		s.Fatal("a rotation gave an old secret")
	}
	s.publish("e1", `{}`)
	c := s.came("s", 1)[0]
	if n := len(signed(s, c, "v1")); n != 3 {
		s.Errorf("%d signatures, want 3", n)
	}
	for _, secret := range secrets {
		library(s, c, secret)
	}
}

func kindsOfSignaturesMix(s *scene) {
	first := s.subscribe("s", "")
	public := s.rotate("s", `{"signing":"v1a"}`)
	s.publish("e1", `{}`)
	c := s.came("s", 1)[0]
	library(s, c, first)
	verifyEd25519(s, c, public)
	last := s.rotate("s", `{"signing":"v1"}`)
	s.publish("e2", `{}`)
	c = s.came("s", 2)[1]
	for _, secret := range []string{first, last} {
		library(s, c, secret)
	}
	verifyEd25519(s, c, public)
}

// verifyEd25519 verifies a v1a signature with nothing but the public key.
func verifyEd25519(s *scene, c callback, public string) {
	s.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(public, "whpk_"))
	if err != nil || !strings.HasPrefix(public, "whpk_") {
		s.Fatalf("public key %q: %v", public, err)
	}
	signatures := signed(s, c, "v1a")
	message := c.id() + "." + c.headers.Get("webhook-timestamp") + "." + c.body
	if len(signatures) != 1 || !ed25519.Verify(key, []byte(message), signatures[0]) {
		s.Errorf("signature %s does not verify with %s", c.headers.Get("webhook-signature"), public)
	}
}

func rotationTakesEffectAtOnce(s *scene) {
	s.subscribe("s", "")
	s.to.others = []string{"/s"} // whose secrets end while it looks
	for n := range 10 {
		secret := s.rotate("s", `{"overlap":"0s"}`)
		s.publish(fmt.Sprint("e", n), `{}`)
		c := s.came("s", n+1)[n]
		if got := signed(s, c, "v1"); len(got) != 1 || !hmac.Equal(got[0], hmacOf(s, c, secret)) {
			s.Errorf("callback %d: %d signatures, want one by the secret of just now", n+1, len(got))
		}
	}
}

func rotationsAreBounded(s *scene) {
	s.subscribe("s", "")
	for range 4 {
		s.rotate("s", "")
	}
	refused := s.must(409, "POST", "/subscriptions/s/rotate-secret", "")
	s.publish("e1", `{}`)
	if n := len(signed(s, s.came("s", 1)[0], "v1")); n != 5 {
		s.Errorf("%d signatures after %s, want 5", n, refused.text)
	}
	s.rotate("s", `{"overlap":"0s"}`) // which ends the others
	s.to.others = []string{"/s"}
	s.publish("e2", `{}`)
	if n := len(signed(s, s.came("s", 2)[1], "v1")); n != 1 {
		s.Errorf("%d signatures after a rotation without overlap, want 1", n)
	}
}

func badSecretsAreRefused(s *scene) {
	kept := s.subscribe("s", "")
	b64 := base64.StdEncoding.EncodeToString
	for _, secret := range []string{
		"", "hunter2", "whsec_", "whsec_!!!!", "whsec_" + b64(make([]byte, 23)), "whsec_" + b64(make([]byte, 65)), b64(make([]byte, 32)),
		"whsk_" + b64(make([]byte, 31)), "whpk_" + b64(make([]byte, 32)), "WHSEC_" + b64(make([]byte, 32)),
	} {
		create := s.must(422, "POST", "/subscriptions", `{"url":"`+s.to.URL+`/s","secret":"`+secret+`"}`)
		rotate := s.must(422, "POST", "/subscriptions/s/rotate-secret", `{"secret":"`+secret+`"}`)
		for _, got := range []reply{create, rotate} {
			if !slices.Equal(got.fields(), []string{"secret"}) {
				s.Errorf("secret %q: %s, want a problem that names secret", secret, got.text)
			}
			if len(secret) > 20 && strings.Contains(string(got.text), secret[6:]) {
				s.Errorf("the problem shows the secret: %s", got.text)
			}
		}
	}
	if got := s.must(200, "GET", "/subscriptions/s/secret", "").str("secret"); got != kept {
		s.Error("a refused rotation changed the secret")
	}
}
