package signature_test

import (
	"bytes"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/postino/postino/shared/callback/signature"
	"github.com/postino/postino/verify"
)

// headers are those of a callback.
func headers(id string, at time.Time, signatures string) http.Header {
	return http.Header{
		"Webhook-Id":        {id},
		"Webhook-Timestamp": {strconv.FormatInt(at.Unix(), 10)},
		"Webhook-Signature": {signatures},
	}
}

// verifier is what a receiver makes of a secret.
func verifier(t testing.TB, secret string) *verify.Verifier {
	t.Helper()
	v, err := verify.New(secret)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestWhatPostinoSignsIsBelieved rotates from v1 to v1a and back.
func TestWhatPostinoSignsIsBelieved(t *testing.T) {
	var keys []signature.Key
	var secrets []string
	for _, scheme := range []signature.Scheme{signature.V1, signature.V1a, signature.V1} {
		secret, err := signature.Generate(scheme)
		if err != nil {
			t.Fatal(err)
		}
		key, err := signature.ParseSecret(secret)
		if err != nil {
			t.Fatal(err)
		}
		if public := key.Public(); public != "" {
			secret = public
		}
		keys, secrets = append(keys, key), append(secrets, secret)
	}
	body := []byte(`{"type":"flight.booked"}`)
	now := time.Now()
	h := headers("dlv_1", now, signature.Header(keys, "dlv_1", now, body))
	for i, secret := range secrets {
		if err := verifier(t, secret).Verify(h, body); err != nil {
			t.Errorf("with secret %d alone: Verify = %v", i, err)
		}
	}
}

func TestSecretsOfAnyLengthThatSignVerify(t *testing.T) {
	for _, n := range []int{1, 7, 23, 65, 256} {
		secret, err := signature.Bytes(bytes.Repeat([]byte{0xA7}, n))
		if err != nil {
			t.Fatal(err)
		}
		key, err := signature.ParseSecret(secret)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		signed := key.Sign("id", now, []byte("body"))
		h := headers("id", now, signed)
		if err := verifier(t, secret).Verify(h, []byte("body")); err != nil {
			t.Errorf("a signature by %d bytes: %v, want it believed", n, err)
		}
	}
}
func BenchmarkVerify(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 1024)
	secret, _ := signature.Generate(signature.V1)
	key, _ := signature.ParseSecret(secret)
	now := time.Now()
	h := headers("dlv_1", now, key.Sign("dlv_1", now, body))
	v := verifier(b, secret)
	b.ReportAllocs()
	for b.Loop() {
		if err := v.Verify(h, body); err != nil {
			b.Fatal(err)
		}
	}
}
