package cosign

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"strings"
	"sync"
)

// hashes are those that a signature can have.
var hashes = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}

// encodings are how a signature is written.
var encodings = map[string]func(dst, sum []byte) []byte{
	"hex":    hex.AppendEncode,
	"base64": base64.StdEncoding.AppendEncode,
}

// signer computes one signature.
type signer struct {
	header  string // canonical
	prefix  template
	text    template
	beside  []companion
	new     func() hash.Hash
	encode  func(dst, sum []byte) []byte
	secret  secret
	decodes bool // the secret is written as whsec_ and base64
	idle    sync.Pool
}

// companion is a header beside the signature.
type companion struct {
	name  string // canonical
	value template
}

// secret is what a signature is made with: a key, or the name of a secret.
type secret struct {
	text string // as written; "" for a name
	key  []byte
	name string
}

// work is the space for one signature, and of a fixed key its hash.
type work struct {
	mac       hash.Hash
	text, sum []byte
}

func (s *signer) names() []string {
	if s.header == "" {
		return nil
	}
	names := []string{strings.ToLower(s.header)}
	for _, c := range s.beside {
		names = append(names, strings.ToLower(c.name))
	}
	return names
}

func (s *signer) set(h http.Header, m Message, value func(string) string) {
	w, _ := s.idle.Get().(*work)
	if w == nil {
		w = &work{}
	}
	mac := w.mac
	switch {
	case s.secret.name != "":
		mac = hmac.New(s.new, s.key(value(s.secret.name)))
	case mac == nil:
		mac = hmac.New(s.new, s.secret.key)
		w.mac = mac
	default:
		mac.Reset()
	}
	w.text = s.text.append(w.text[:0], m)
	mac.Write(w.text)
	w.sum = mac.Sum(w.sum[:0])
	w.text = s.encode(s.prefix.append(w.text[:0], m), w.sum)
	h[s.header] = []string{string(w.text)}
	for _, c := range s.beside {
		w.text = c.value.append(w.text[:0], m)
		h[c.name] = []string{string(w.text)}
	}
	w.text = w.text[:0]
	if cap(w.text) <= 64<<10 {
		s.idle.Put(w)
	}
}

// key is the key that a text stands for.
func (s *signer) key(text string) []byte {
	if s.decodes {
		if key, ok := decoded(text); ok {
			return key
		}
	}
	return []byte(text)
}

// decoded reads whsec_ and base64, as the libraries of Svix do.
func decoded(text string) ([]byte, bool) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
	return key, err == nil && len(key) > 0
}
