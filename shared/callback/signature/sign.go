package signature

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"strconv"
	"sync"
	"time"
)

// Sign returns the signature of one message, as "v1,base64" or "v1a,base64".
// Only the whole seconds of at count. The zero Key returns "".
func (k Key) Sign(id string, at time.Time, body []byte) string {
	var room [128]byte // a v1a signature takes 92
	return string(k.Append(room[:0], id, at, body))
}

// Append appends what [Key.Sign] returns to dst, without allocating for [V1]
// when dst has room for 47 more bytes.
func (k Key) Append(dst []byte, id string, at time.Time, body []byte) []byte {
	switch k.scheme {
	case V1:
		return k.macs.append(append(dst, "v1,"...), id, at, body)
	case V1a:
		message := make([]byte, 0, len(id)+22+len(body)) // 22: two stops and any int64
		message = append(appendPrefix(message, id, at), body...)
		return encoding.AppendEncode(append(dst, "v1a,"...), ed25519.Sign(k.private, message))
	}
	return dst
}

// Header returns the value of webhook-signature: one signature for each key
// that is in force, in the order of keys, separated by spaces. Zero keys are
// left out; with no other key it is "".
func Header(keys []Key, id string, at time.Time, body []byte) string {
	var room [512]byte
	list := room[:0]
	for _, k := range keys {
		if k.scheme == "" {
			continue
		}
		if len(list) > 0 {
			list = append(list, ' ')
		}
		list = k.Append(list, id, at, body)
	}
	return string(list)
}

// appendPrefix appends all that is signed before the body.
func appendPrefix(dst []byte, id string, at time.Time) []byte {
	dst = append(append(dst, id...), '.')
	return append(strconv.AppendInt(dst, at.Unix(), 10), '.')
}

// macs lends HMAC states of one secret: setting one up costs as much as
// signing a small body.
type macs struct{ idle sync.Pool }

// mac is one state with the scratch space that would otherwise escape to the
// heap at each use.
type mac struct {
	hash.Hash
	prefix []byte
	sum    []byte
}

func newMACs(key []byte) *macs {
	return &macs{sync.Pool{New: func() any {
		return &mac{hmac.New(sha256.New, key), make([]byte, 0, 320), make([]byte, 0, sha256.Size)}
	}}}
}

func (m *macs) append(dst []byte, id string, at time.Time, body []byte) []byte {
	h := m.idle.Get().(*mac)
	defer m.idle.Put(h)
	h.Reset()
	h.prefix = appendPrefix(h.prefix[:0], id, at)
	h.Write(h.prefix)
	h.Write(body)
	h.sum = h.Sum(h.sum[:0])
	return encoding.AppendEncode(dst, h.sum)
}
