//go:build go1.25

package verify_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/postino/postino/verify"
)

// y of the points whose order divides eight, without the sign of x; the last
// two are not reduced.
var lowOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// forgeable reports whether a signature that no key made fits one of many
// messages under a public key.
func forgeable(public ed25519.PublicKey) bool {
	signature := make([]byte, ed25519.SignatureSize)
	signature[0] = 1 // R is the neutral element, S is 0
	for i := range 1000 {
		if ed25519.Verify(public, []byte(strconv.Itoa(i)), signature) {
			return true
		}
	}
	return false
}

func TestAPublicKeyForWhichAnybodyCanSignIsRefused(t *testing.T) {
	for _, text := range lowOrder {
		for _, sign := range []byte{0, 0x80} {
			key, err := hex.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			key[31] |= sign
			if !forgeable(key) {
				t.Errorf("%x: no message fits a forged signature: it is no example", key)
			}
			if _, err := verify.New("whpk_" + base64.StdEncoding.EncodeToString(key)); !errors.Is(err, verify.ErrSecret) {
				t.Errorf("New of %x = %v, want ErrSecret", key, err)
			}
		}
	}
	good, _, err := ed25519.GenerateKey(nil)
	if err != nil || forgeable(good) {
		t.Fatal("an ordinary key can be forged, or", err)
	}
}

// One signature has one form: what is kept of a request to know it again must
// not be changed at will.
func TestBase64IsTakenInItsOneForm(t *testing.T) {
	at(t, 0, func(t *testing.T) {
		stray := strings.Replace(vectorV1, "E=", "F=", 1) // the last bits stand for nothing
		if stray == vectorV1 {
			t.Fatal("the vector has another end")
		}
		for name, signatures := range map[string]string{
			"stray bits": stray, "no padding": strings.TrimSuffix(vectorV1, "="), "too much padding": vectorV1 + "=",
			"v1a with stray bits": strings.Replace(vectorV1a, "Ag==", "Ah==", 1), "the other alphabet": strings.NewReplacer("+", "-", "/", "_").Replace(vectorV1),
		} {
			err := verifier(t, vectorSecret, vectorPublic).Verify(header(vectorID, strconv.Itoa(vectorTime), signatures), []byte(vectorBody))
			if !errors.Is(err, verify.ErrNoMatch) {
				t.Errorf("%s: %v, want ErrNoMatch", name, err)
			}
		}
		h := header(vectorID, strconv.Itoa(vectorTime), vectorV1[:20])
		h["Webhook-Signature"] = []string{vectorV1[:20] + "\r\n" + vectorV1[20:]} // as no server lets through
		if err := verifier(t, vectorSecret).Verify(h, []byte(vectorBody)); !errors.Is(err, verify.ErrNoMatch) {
			t.Errorf("broken over two lines: %v, want ErrNoMatch", err)
		}
	})
	for _, secret := range []string{
		strings.TrimSuffix(vectorPublic, "4=") + "5=", "whsec_MfKQ9r8GKYqrTwjUPD8I\nLPZIo2LaLaSw", vectorSecret + "\n", strings.TrimSuffix(vectorPublic, "="),
	} {
		if _, err := verify.New(secret); !errors.Is(err, verify.ErrSecret) {
			t.Errorf("New of %q = %v, want ErrSecret", secret, err)
		}
	}
}

func TestWhatAForgedRequestMayCostIsBounded(t *testing.T) {
	forged := "v1a," + base64.StdEncoding.EncodeToString(make([]byte, 64))
	at(t, 0, func(t *testing.T) {
		v := verifier(t, vectorPublic)
		for _, tt := range []struct {
			name, signatures string
			body             int
			want             error
		}{
			{"eight signatures", strings.Repeat(forged+" ", 8), 1 << 20, verify.ErrNoMatch},
			{"nine", strings.Repeat(forged+" ", 9), 1 << 20, verify.ErrMalformedHeader},
			{"a list that is long", strings.Repeat("x", 1025), 1, verify.ErrMalformedHeader},
			{"a body that is large", forged, 1<<20 + 1, verify.ErrTooLarge},
		} {
			if err := v.Verify(header(vectorID, strconv.Itoa(vectorTime), tt.signatures), make([]byte, tt.body)); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
			}
		}
		v.MaxBody = len(vectorBody)
		if err := v.Verify(header(vectorID, strconv.Itoa(vectorTime), vectorV1a), []byte(vectorBody)); err != nil {
			t.Errorf("a body of just MaxBody: %v", err)
		}
		if err := v.Verify(header(vectorID, strconv.Itoa(vectorTime), vectorV1a), bytes.Repeat([]byte("x"), len(vectorBody)+1)); !errors.Is(err, verify.ErrTooLarge) {
			t.Errorf("one byte more: %v, want ErrTooLarge", err)
		}
	})
	if _, err := verify.New(slicesOf(vectorSecret, 9)...); !errors.Is(err, verify.ErrSecret) {
		t.Errorf("New of nine secrets = %v, want ErrSecret", err)
	}
}

func slicesOf(text string, n int) (list []string) {
	for range n {
		list = append(list, text)
	}
	return list
}
