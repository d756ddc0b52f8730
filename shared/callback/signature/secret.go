// Package signature makes the secrets of Standard Webhooks and signs callbacks
// with them, so that a subscriber can verify the sender.
//
// Two schemes exist. [V1] is HMAC-SHA256: sender and receiver share one secret.
// [V1a] is ed25519: the sender keeps the private key and the receiver needs
// only the public one. What is signed is the same in both: the message id, the
// time in whole seconds and the body's bytes, joined by full stops.
package signature

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// Scheme names a way of signing, as it stands before each signature's comma.
type Scheme string

// The schemes of Standard Webhooks 1.0.
const (
	V1  Scheme = "v1"  // HMAC-SHA256 with a shared secret, written whsec_…
	V1a Scheme = "v1a" // ed25519, private key written whsk_…, public key whpk_…
)

const (
	symmetricPrefix = "whsec_"
	privatePrefix   = "whsk_"
	publicPrefix    = "whpk_"

	minStandard  = 24 // bytes; the range that the specification allows
	maxStandard  = 64
	maxSymmetric = 256         // bytes of a key that comes from elsewhere; HMAC takes any
	newSymmetric = sha256.Size // bytes of a generated secret: as strong as the hash
)

// What is wrong with a secret. The errors of [ParseSecret] wrap these; none of
// them carries any part of the secret.
var (
	ErrPrefix   = errors.New(`want a secret that begins with whsec_ (v1) or whsk_ (v1a), or any other as {"raw": "…"} or {"base64": "…"}`)
	ErrEncoding = errors.New("want padded standard base64 after the prefix")
	ErrLength   = errors.New("wrong length")
	ErrKeyPair  = errors.New("the public half does not belong to the private half")
	ErrScheme   = errors.New("unknown scheme: want v1 or v1a")
)

// encoding refuses stray bits in the last character: one key, one spelling.
var encoding = base64.StdEncoding.Strict()

// Generate makes a new secret from the system's random source: 32 bytes for
// [V1], a 64-byte private key for [V1a]. Any other scheme is [ErrScheme].
func Generate(scheme Scheme) (string, error) {
	switch scheme {
	case V1:
		key := make([]byte, newSymmetric)
		rand.Read(key) // never fails: it ends the process instead
		return symmetricPrefix + encoding.EncodeToString(key), nil
	case V1a:
		_, private, err := ed25519.GenerateKey(nil)
		if err != nil {
			return "", fmt.Errorf("make an ed25519 key: %w", err)
		}
		return privatePrefix + encoding.EncodeToString(private), nil
	}
	return "", ErrScheme
}

// Key signs. It is safe for concurrent use, and meant to be kept as long as
// the secret it came from is in use. The zero Key signs nothing.
//
// A Key prints as ***, however it is printed.
type Key struct {
	scheme  Scheme
	macs    *macs              // of V1
	private ed25519.PrivateKey // of V1a
}

// Bytes writes a key of 1 to 256 bytes that comes from elsewhere as a secret of
// [V1]. Libraries of Standard Webhooks verify with it as with any other.
func Bytes(key []byte) (string, error) {
	if len(key) == 0 || len(key) > maxSymmetric {
		return "", fmt.Errorf("%w: want 1 to %d bytes, got %d", ErrLength, maxSymmetric, len(key))
	}
	return symmetricPrefix + encoding.EncodeToString(key), nil
}

// Standard is nil for a secret as Standard Webhooks wants it: for [V1] of 24 to
// 64 bytes. One that was typed wrong is often shorter. Its errors are those of
// [ParseSecret].
func Standard(secret string) error {
	if _, err := ParseSecret(secret); err != nil {
		return err
	}
	text, ok := strings.CutPrefix(secret, symmetricPrefix)
	if n := len(strings.TrimRight(text, "=")) * 3 / 4; ok && (n < minStandard || n > maxStandard) {
		return fmt.Errorf(`%w: want %d to %d bytes after decoding, got %d; a key from elsewhere may be shorter or longer, as {"base64": "…"}`, ErrLength, minStandard, maxStandard, n)
	}
	return nil
}

// ParseSecret reads whsec_ and the base64 of 1 to 256 bytes, or whsk_ and the
// base64 of an ed25519 private key (64 bytes) or its seed (32 bytes). Its
// errors are [ErrPrefix], [ErrEncoding], [ErrLength] and [ErrKeyPair], worded
// for the person who chose the secret.
func ParseSecret(secret string) (Key, error) {
	if text, ok := strings.CutPrefix(secret, symmetricPrefix); ok {
		return parseSymmetric(text)
	}
	if text, ok := strings.CutPrefix(secret, privatePrefix); ok {
		return parsePrivate(text)
	}
	return Key{}, ErrPrefix
}

func parseSymmetric(text string) (Key, error) {
	key, err := decode(text, maxSymmetric)
	if err != nil {
		return Key{}, err
	}
	if len(key) == 0 || len(key) > maxSymmetric {
		return Key{}, fmt.Errorf("%w: want 1 to %d bytes after decoding, got %d", ErrLength, maxSymmetric, len(key))
	}
	return Key{scheme: V1, macs: newMACs(key)}, nil
}

func parsePrivate(text string) (Key, error) {
	key, err := decode(text, ed25519.PrivateKeySize)
	if err != nil {
		return Key{}, err
	}
	if len(key) != ed25519.SeedSize && len(key) != ed25519.PrivateKeySize {
		return Key{}, fmt.Errorf("%w: want %d or %d bytes after decoding, got %d", ErrLength, ed25519.SeedSize, ed25519.PrivateKeySize, len(key))
	}
	private := ed25519.NewKeyFromSeed(key[:ed25519.SeedSize])
	// Signing with a foreign public half gives the private key away.
	if subtle.ConstantTimeCompare(private[:len(key)], key) != 1 {
		return Key{}, ErrKeyPair
	}
	return Key{scheme: V1a, private: private}, nil
}

// decode refuses what cannot be a key before it looks at it, and the line
// breaks that package base64 would skip.
func decode(text string, most int) ([]byte, error) {
	if len(text) > encoding.EncodedLen(most) {
		return nil, fmt.Errorf("%w: want at most %d bytes after decoding", ErrLength, most)
	}
	if strings.ContainsAny(text, "\r\n") {
		return nil, ErrEncoding
	}
	key, err := encoding.DecodeString(text)
	if err != nil {
		return nil, ErrEncoding
	}
	return key, nil
}

// Scheme tells how k signs; "" for the zero Key.
func (k Key) Scheme() Scheme { return k.scheme }

// Public returns what a receiver needs to verify k's signatures and may be
// shown to anyone: whpk_ and the base64 of the ed25519 public key. It is ""
// for [V1], which has no public half.
func (k Key) Public() string {
	if k.scheme != V1a {
		return ""
	}
	return publicPrefix + encoding.EncodeToString(k.private[ed25519.SeedSize:])
}

// Format keeps keys out of everything printed, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { fmt.Fprint(f, "***") }

// LogValue keeps keys out of logs.
func (k Key) LogValue() slog.Value { return slog.StringValue("***") }
