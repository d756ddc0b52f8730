// Package cosign signs callbacks as other senders sign theirs, in addition to
// the signature of Standard Webhooks, so that receivers which verify those go on
// verifying.
//
// A signature is a header whose value is a prefix and an HMAC over a text that a
// template names. Presets are such signatures that are known by name.
package cosign

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/callback/render"
)

// Bounds of the field.
const (
	maxSignatures = 4
	maxCompanions = 8       // headers beside the signature
	maxText       = 1 << 10 // bytes of a template
	maxSecret     = 4 << 10 // bytes
	maxHeader     = 128     // bytes of a name
)

// Signature is one signature as its owner wrote it.
type Signature struct {
	Preset   string            `json:"preset,omitempty"`
	Header   string            `json:"header,omitempty"`
	Text     string            `json:"text,omitempty"`     // what is signed
	Prefix   string            `json:"prefix,omitempty"`   // of the header's value
	Hash     string            `json:"hash,omitempty"`     // "sha256" by default
	Encoding string            `json:"encoding,omitempty"` // "hex" by default
	Headers  map[string]string `json:"headers,omitempty"`  // beside it, such as one for the time
	Secret   json.RawMessage   `json:"secret"`             // a text, {"raw": …} or {"base64": …}
}

// List is the signatures of one subscription, ready for use. Nil is none. It
// never changes and is safe for concurrent use.
type List struct {
	written []Signature
	ready   []*signer
}

// Message is what is signed.
type Message struct {
	ID      string // of the delivery
	Event   string // its id
	At      time.Time
	Attempt int
	Method  string
	URL     string
	Type    string // content type of the body
	Body    []byte
}

// Set sets the headers of all signatures. Value returns a named secret.
func (l *List) Set(h http.Header, m Message, value func(name string) string) {
	if l == nil {
		return
	}
	for _, s := range l.ready {
		s.set(h, m, value)
	}
}

// Headers are the names of all headers that it sets, in lower case.
func (l *List) Headers() (names []string) {
	if l == nil {
		return nil
	}
	for _, s := range l.ready {
		names = append(names, s.names()...)
	}
	return names
}

// NeedsForm reports whether a preset signs the fields of a form: with another
// body its signature would say nothing of the body.
func (l *List) NeedsForm() bool {
	return l != nil && slices.ContainsFunc(l.written, func(s Signature) bool { return s.Preset == "twilio" })
}

// Secrets returns the names of the secrets that it mentions.
func (l *List) Secrets() (names []string) {
	if l == nil {
		return nil
	}
	for _, s := range l.ready {
		if s.secret.name != "" {
			names = append(names, s.secret.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Hidden returns the secrets as a receiver could tell them back.
func (l *List) Hidden() (hidden []string) {
	if l == nil {
		return nil
	}
	for _, s := range l.ready {
		if s.secret.name == "" {
			hidden = append(hidden, s.secret.text, string(s.secret.key))
		}
	}
	return hidden
}

// Encode writes it, secrets and all, for sealing.
func (l *List) Encode() []byte {
	text, err := json.Marshal(l.written)
	if err != nil {
		panic("cosign: " + err.Error()) // strings, and JSON that was read
	}
	return text
}

// View is what reads of a subscription show: stars for every secret, and null
// for none.
func (l *List) View() json.RawMessage {
	if l == nil {
		return json.RawMessage("null")
	}
	shown := slices.Clone(l.written)
	for i := range shown {
		shown[i].Secret = json.RawMessage(`"` + render.Stars + `"`)
	}
	text, err := json.Marshal(shown)
	if err != nil {
		panic("cosign: " + err.Error()) // strings
	}
	return text
}

// same reports whether two header names are one.
func same(a, b string) bool { return strings.EqualFold(a, b) }
