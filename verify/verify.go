// Package verify checks whether a request is a genuine and recent callback of
// Postino, or of any other sender of Standard Webhooks.
//
// It depends on nothing but the standard library. Make one [Verifier] when the
// program starts, read each request's body once, and ask before believing it:
//
//	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
//	// …
//	if err := verifier.Verify(r.Header, body); err != nil {
//		http.Error(w, err.Error(), http.StatusUnauthorized)
//		return
//	}
//
// The body must be the bytes that arrived, not a re-encoding of what was parsed
// from them. A genuine callback can arrive more than once, after a lost answer
// for instance: its webhook-id is the same each time, so remember the ids that
// were handled.
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

// DefaultTolerance is how far a callback's time may be from ours, either way,
// unless [Verifier].Tolerance says otherwise.
const DefaultTolerance = 5 * time.Minute

// DefaultMaxBody is the most bytes of a body, unless [Verifier].MaxBody says
// otherwise: more than any callback of Postino has.
const DefaultMaxBody = 1 << 20

const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	headerSignature = "webhook-signature"

	maxID = 1024 // bytes; ids of Postino have 36

	// What a forged request may cost: each v1a signature reads the whole body
	// once for each public key. Postino signs with five secrets at most.
	maxSignatures = 8    // of one request
	maxSignature  = 1024 // bytes of all of them; eight of v1a take 743
)

// Why a request is not believed, found with errors.Is in what
// [Verifier.Verify] returns. Every one of them deserves the status 401 or 400.
var (
	// ErrMissingHeader: webhook-id, webhook-timestamp or webhook-signature is
	// absent; the error names it.
	ErrMissingHeader = errors.New("missing header")
	// ErrMalformedHeader: one of them cannot be read; the error names it.
	ErrMalformedHeader = errors.New("malformed header")
	// ErrTooOld: signed longer ago than the tolerance. Perhaps somebody
	// recorded a callback and sends it again.
	ErrTooOld = errors.New("timestamp too old")
	// ErrTooNew: signed further ahead than the tolerance. Perhaps a clock is wrong.
	ErrTooNew = errors.New("timestamp too far in the future")
	// ErrTooLarge: the body is larger than the verifier's MaxBody.
	ErrTooLarge = errors.New("body too large")
	// ErrNoMatch: no signature fits any of our secrets. The body was changed, or
	// the secret is another one.
	ErrNoMatch = errors.New("no signature matches")
)

// ErrSecret: a secret given to [New] is not one.
var ErrSecret = errors.New("want whsec_ and base64 of 1 to 256 bytes, or whpk_ and base64 of 32 bytes")

// Verifier checks signatures. It is safe for concurrent use; set its fields
// before the first use. Make it with [New]: the zero Verifier believes nothing.
type Verifier struct {
	// Tolerance is how far webhook-timestamp may be from our clock, into the
	// past and into the future; zero means [DefaultTolerance].
	Tolerance time.Duration
	// MaxBody is the most bytes of a body that are looked at; zero means
	// [DefaultMaxBody].
	MaxBody int

	shared [][]byte            // keys of v1
	public []ed25519.PublicKey // keys of v1a
}

// New makes a Verifier of every secret that is in force: one, or during a
// rotation the old one and the new one. A secret is whsec_… for signatures of
// scheme v1, or the public key whpk_… for those of v1a. For anything else, and
// for no secret at all, it returns [ErrSecret], which never repeats the secret;
// so it does for one of the few public keys for which anybody can sign, and for
// more than eight secrets.
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

// decode takes base64 in its one right form: padded, without stray bits and
// line breaks, so that no two texts stand for one signature.
func decode(text string) ([]byte, bool) {
	if strings.ContainsAny(text, "\r\n") { // which the decoder would skip
		return nil, false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	return b, err == nil
}

// Verify returns nil if one of the signatures in header was made over body with
// one of our secrets, within the tolerance of now, and an error that wraps one
// of this package's otherwise. Signatures are
// compared in constant time, and header names in any case: a map of lower-case
// names, as some platforms deliver them, will do.
func (v *Verifier) Verify(header http.Header, body []byte) error {
	id, err := one(header, headerID)
	if err != nil {
		return err
	}
	if strings.Contains(id, ".") { // where id, time and body meet: a second reading would be possible
		return fmt.Errorf("%w: %s: holds a full stop", ErrMalformedHeader, headerID)
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
