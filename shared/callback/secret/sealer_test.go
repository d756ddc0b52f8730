package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
)

var (
	oldKey = bytes.Repeat([]byte{1}, KeySize)
	newKey = bytes.Repeat([]byte{2}, KeySize)
)

func mustSealer(t testing.TB, keys ...[]byte) *Sealer {
	t.Helper()
	s, err := NewSealer(keys[0], keys[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustSeal(t testing.TB, s *Sealer, plain string, place ...string) []byte {
	t.Helper()
	sealed, err := s.Seal([]byte(plain), place...)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestASealedSecretOpensInItsPlaceOnly(t *testing.T) {
	s := mustSealer(t, newKey)
	place := []string{"acme", "sub_1", "auth.token"}
	sealed := mustSeal(t, s, "hunter2", place...)
	if got, err := s.Open(sealed, place...); string(got) != "hunter2" || err != nil {
		t.Errorf("Open = %q, %v, want the secret", got, err)
	}
	for _, other := range [][]string{
		nil,
		{"acme", "sub_1"},
		{"acme", "sub_1", "auth.token", ""},
		{"acme", "sub_2", "auth.token"},
		{"acmes", "ub_1", "auth.token"},
		{"acme", "sub_1auth.token"},
		{"acme\x05sub_1", "auth.token"},
		{"", "acme", "sub_1", "auth.token"},
	} {
		if got, err := s.Open(sealed, other...); got != nil || !errors.Is(err, ErrTampered) {
			t.Errorf("Open at %q = %q, %v, want ErrTampered", other, got, err)
		}
	}
}

func TestEveryChangedByteIsNoticed(t *testing.T) {
	s := mustSealer(t, newKey, oldKey)
	sealed := mustSeal(t, s, "hunter2", "acme")
	for i := range sealed {
		for _, flip := range []byte{1, 0x80} {
			changed := bytes.Clone(sealed)
			changed[i] ^= flip
			if got, err := s.Open(changed, "acme"); got != nil || err == nil {
				t.Errorf("Open with byte %d changed = %q, want an error", i, got)
			}
		}
		if got, err := s.Open(sealed[:i], "acme"); got != nil || err == nil {
			t.Errorf("Open of the first %d bytes = %q, want an error", i, got)
		}
	}
}

func TestSealingShowsNothing(t *testing.T) {
	s := mustSealer(t, newKey)
	const plain = "a secret of some length"
	a, b := mustSeal(t, s, plain), mustSeal(t, s, plain)
	if bytes.Equal(a, b) {
		t.Error("sealing twice gives the same bytes")
	}
	if bytes.Contains(a, []byte("secret")) || bytes.Contains(a, newKey[:4]) {
		t.Errorf("the sealed bytes show plaintext or key: %x", a)
	}
}

func TestKeysRotate(t *testing.T) {
	before := mustSealer(t, oldKey)
	sealed := mustSeal(t, before, "hunter2", "acme")
	after := mustSealer(t, newKey, oldKey)
	if got, err := after.Open(sealed, "acme"); string(got) != "hunter2" || err != nil {
		t.Errorf("Open with the older key = %q, %v, want the secret", got, err)
	}
	if after.Current(sealed) || !before.Current(sealed) || !after.Current(mustSeal(t, after, "x")) {
		t.Error("Current does not tell the new key from the old one")
	}
	if _, err := mustSealer(t, newKey).Open(sealed, "acme"); !errors.Is(err, ErrKey) {
		t.Errorf("Open without the older key = %v, want ErrKey", err)
	}
}

func TestSealersRefuseWhatTheyCannotKeep(t *testing.T) {
	if _, err := NewSealer(newKey[:31]); !errors.Is(err, ErrKeySize) {
		t.Errorf("NewSealer with 31 bytes = %v, want ErrKeySize", err)
	}
	if _, err := NewSealer(newKey, oldKey, newKey); err == nil {
		t.Error("NewSealer accepts the same key twice")
	}
	s := mustSealer(t, newKey)
	if got, err := s.Open(mustSeal(t, s, strings.Repeat("x", MaxPlain))); len(got) != MaxPlain || err != nil {
		t.Errorf("Open of the longest secret = %d bytes, %v", len(got), err)
	}
	if _, err := s.Seal(make([]byte, MaxPlain+1)); !errors.Is(err, ErrTooLong) {
		t.Errorf("Seal beyond the limit = %v, want ErrTooLong", err)
	}
	if _, err := s.Open(make([]byte, 1<<20)); !errors.Is(err, ErrFormat) {
		t.Errorf("Open of a megabyte = %v, want ErrFormat", err)
	}
	if got, err := s.Open(mustSeal(t, s, "")); len(got) != 0 || err != nil {
		t.Errorf("Open of an empty secret = %q, %v", got, err)
	}
}

func TestSealersPrintAsStars(t *testing.T) {
	s := mustSealer(t, bytes.Repeat([]byte("k"), KeySize))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if got := fmt.Sprintf(verb, s); got != "***" {
			t.Errorf("%s of a Sealer = %s, want ***", verb, got)
		}
	}
}

// TestWhatOlderReleasesSealedStillOpens holds the format fixed.
func TestWhatOlderReleasesSealedStillOpens(t *testing.T) {
	sealed, err := hex.DecodeString(sealedByFirstRelease)
	if err != nil {
		t.Fatal(err)
	}
	got, err := mustSealer(t, oldKey).Open(sealed, "acme", "sub_1", "signing")
	if string(got) != "hunter2" || err != nil {
		t.Errorf("Open = %q, %v, want the secret", got, err)
	}
}

const sealedByFirstRelease = "010d871078e4e48bef60e4b24c75aa5d51491b09b9604bcf9bca5dc2ffac24bf60dc48046ed81338"

func FuzzOpen(f *testing.F) {
	s := mustSealer(f, newKey, oldKey)
	f.Add(mustSeal(f, s, "hunter2", "acme"), "acme")
	f.Add([]byte{version}, "")
	f.Add(bytes.Repeat([]byte{version}, overhead), "acme")
	f.Fuzz(func(t *testing.T, sealed []byte, place string) {
		plain, err := s.Open(sealed, place)
		if err == nil && string(plain) != "hunter2" {
			t.Fatalf("forged: %s", base64.StdEncoding.EncodeToString(sealed))
		}
	})
}
