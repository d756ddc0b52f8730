// Package verify checks whether a request is a genuine and recent callback of
// Postino, or of any other sender of Standard Webhooks.
//
// It needs only the standard library. Make one [Verifier] when the program
// starts. Read the body of each request once, and verify it before you use it:
//
//	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
//	// …
//	if err := verifier.Verify(r.Header, body); err != nil {
//		http.Error(w, err.Error(), http.StatusUnauthorized)
//		return
//	}
//
// The body must be the bytes that arrived, not parsed and encoded again. A genuine
// callback can arrive more than once, for example after a lost answer. It has the
// same webhook-id each time, so store the ids that you have handled.
package verify

import (
	"cmp"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// DefaultTolerance is how far a callback's time can be from the local clock, in
// both directions, unless [Verifier].Tolerance is set.
const DefaultTolerance = 5 * time.Minute

// DefaultMaxBody is the maximum size of a body, unless [Verifier].MaxBody is set.
// No callback of Postino is larger.
const DefaultMaxBody = 1 << 20

const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	headerSignature = "webhook-signature"

	maxID = 1024 // bytes; ids of Postino have 36

	// This limits the cost of a forged request: each v1a signature reads the
	// whole body once for each public key. Postino sends at most five signatures.
	maxSignatures = 8    // of one request
	maxSignature  = 1024 // bytes of all of them; eight of v1a take 743
)

// The errors of [Verifier.Verify], for errors.Is. Answer each with the status 401
// or 400.
var (
	// ErrMissingHeader: webhook-id, webhook-timestamp or webhook-signature is
	// absent; the error names it.
	ErrMissingHeader = errors.New("missing header")
	// ErrMalformedHeader: one of these headers is malformed; the error names it.
	ErrMalformedHeader = errors.New("malformed header")
	// ErrTooOld: the timestamp is older than the tolerance. This can be a replay
	// attack.
	ErrTooOld = errors.New("timestamp too old")
	// ErrTooNew: the timestamp is further in the future than the tolerance. A clock
	// can be wrong.
	ErrTooNew = errors.New("timestamp too far in the future")
	// ErrTooLarge: the body is larger than the verifier's MaxBody.
	ErrTooLarge = errors.New("body too large")
	// ErrNoMatch: no signature matches any of the secrets. The body was changed, or
	// the secret is wrong.
	ErrNoMatch = errors.New("no signature matches")
)

// ErrSecret: a secret given to [New] is not valid.
var ErrSecret = errors.New("want whsec_ and base64 of 1 to 256 bytes, or whpk_ and base64 of 32 bytes")

// Verifier checks signatures. It is safe for concurrent use; set its fields
// before the first use. Make it with [New]: the zero Verifier refuses everything.
type Verifier struct {
	// Tolerance is how far webhook-timestamp can be from the local clock, in the
	// past and in the future; zero means [DefaultTolerance].
	Tolerance time.Duration
	// MaxBody is the maximum size of a body in bytes; zero means
	// [DefaultMaxBody].
	MaxBody int

	shared [][]byte            // keys of v1
	public []ed25519.PublicKey // keys of v1a
}

// New makes a Verifier with all active secrets: one, or during a rotation the old
// and the new one. A secret is whsec_… for signatures of scheme v1, or the public
// key whpk_… for those of v1a. New returns [ErrSecret] for anything else, without
// secrets, with more than eight, and for the few weak public keys for which anyone
// can sign. The error never contains the secret.
func New(secrets ...string) (*Verifier, error) {
	v := &Verifier{}
	for i, secret := range secrets {
		if !v.add(secret) {
			return nil, fmt.Errorf("secret %d: %w", i+1, ErrSecret)
		}
	}
	if len(secrets) == 0 {
		return nil, fmt.Errorf("no secret: %w", ErrSecret)
	}
	if len(secrets) > maxSignatures {
		return nil, fmt.Errorf("more than %d secrets: %w", maxSignatures, ErrSecret)
	}
	return v, nil
}

func (v *Verifier) add(secret string) bool {
	prefix, text, _ := strings.Cut(secret, "_")
	key, ok := decode(text)
	switch {
	case !ok:
		return false
	case prefix == "whsec" && len(key) >= 1 && len(key) <= 256:
		v.shared = append(v.shared, key)
	case prefix == "whpk" && len(key) == ed25519.PublicKeySize && !smallOrder([ed25519.PublicKeySize]byte(key)):
		v.public = append(v.public, key)
	default:
		return false
	}
	return true
}

// decode accepts only canonical base64: padded, without stray bits and line
// breaks, so that each signature has only one text.
func decode(text string) ([]byte, bool) {
	if strings.ContainsAny(text, "\r\n") { // which the decoder would skip
		return nil, false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	return b, err == nil
}

// Verify returns nil if a signature in header was made for body with one of the
// secrets, and its timestamp is within the tolerance. Otherwise it returns an
// error that wraps one of this package's errors. It compares signatures in
// constant time. Header names can be in lower case, as some platforms deliver
// them.
func (v *Verifier) Verify(header http.Header, body []byte) error {
	id, err := one(header, headerID)
	if err != nil {
		return err
	}
	if strings.Contains(id, ".") { // where id, time and body meet: a second reading would be possible
		return fmt.Errorf("%w: %s: contains a full stop", ErrMalformedHeader, headerID)
	}
	timestamp, err := one(header, headerTimestamp)
	if err != nil {
		return err
	}
	list, err := signatures(header)
	if err != nil {
		return err
	}
	if err := v.checkTime(timestamp); err != nil {
		return err
	}
	if most := cmp.Or(v.MaxBody, DefaultMaxBody); len(body) > most {
		return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, most)
	}
	if !v.anyMatches(list, id+"."+timestamp+".", body) {
		return ErrNoMatch
	}
	return nil
}

// signatures returns the list of them, which is short.
func signatures(header http.Header) ([]string, error) {
	size, found := 0, values(header, headerSignature)
	for _, value := range found {
		size += len(value)
	}
	if size > maxSignature {
		return nil, fmt.Errorf("%w: %s: more than %d bytes", ErrMalformedHeader, headerSignature, maxSignature)
	}
	switch list := strings.Fields(strings.Join(found, " ")); {
	case len(list) == 0:
		return nil, fmt.Errorf("%w: %s", ErrMissingHeader, headerSignature)
	case len(list) > maxSignatures:
		return nil, fmt.Errorf("%w: %s: more than %d signatures", ErrMalformedHeader, headerSignature, maxSignatures)
	default:
		return list, nil
	}
}

// values finds a header under its canonical name or under its lower-case one.
func values(header http.Header, name string) []string {
	if found := header.Values(name); len(found) > 0 {
		return found
	}
	return header[name]
}

func one(header http.Header, name string) (string, error) {
	found := values(header, name)
	if len(found) == 0 || found[0] == "" {
		return "", fmt.Errorf("%w: %s", ErrMissingHeader, name)
	}
	if len(found) > 1 || len(found[0]) > maxID {
		return "", fmt.Errorf("%w: %s", ErrMalformedHeader, name)
	}
	return found[0], nil
}

// checkTime takes whole seconds since 1970 in at most 12 digits, which last
// for 31,000 years.
func (v *Verifier) checkTime(timestamp string) error {
	if len(timestamp) > 12 || strings.Trim(timestamp, "0123456789") != "" {
		return fmt.Errorf("%w: %s: want seconds since 1970", ErrMalformedHeader, headerTimestamp)
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: %s: want seconds since 1970", ErrMalformedHeader, headerTimestamp)
	}
	tolerance := v.Tolerance
	if tolerance == 0 {
		tolerance = DefaultTolerance
	}
	switch age := time.Since(time.Unix(seconds, 0)); {
	case age > tolerance:
		return ErrTooOld
	case age < -tolerance:
		return ErrTooNew
	}
	return nil
}

// anyMatches computes what v1 signatures must be once for each secret, and
// tries each v1a signature with each public key.
func (v *Verifier) anyMatches(list []string, prefix string, body []byte) bool {
	want := make([][]byte, len(v.shared))
	for i, key := range v.shared {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(prefix))
		mac.Write(body)
		want[i] = mac.Sum(nil)
	}
	var message []byte
	if len(v.public) > 0 {
		message = append([]byte(prefix), body...)
	}
	for _, signature := range list {
		scheme, text, _ := strings.Cut(signature, ",")
		got, ok := decode(text)
		if ok && (scheme == "v1" && equalsAny(got, want) || scheme == "v1a" && v.signed(message, got)) {
			return true
		}
	}
	return false
}

func equalsAny(got []byte, want [][]byte) bool {
	for _, mac := range want {
		if hmac.Equal(got, mac) {
			return true
		}
	}
	return false
}

// signed reads the message once for each key, so what cannot be a signature is
// not looked at.
func (v *Verifier) signed(message, signature []byte) bool {
	if len(signature) != ed25519.SignatureSize {
		return false
	}
	for _, key := range v.public {
		if ed25519.Verify(key, message, signature) {
			return true
		}
	}
	return false
}
