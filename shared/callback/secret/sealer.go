package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
)

const (
	// KeySize is the length of a data key in bytes: AES-256.
	KeySize = 32
	// MaxPlain is the longest secret in bytes that is sealed: room for a
	// certificate chain.
	MaxPlain = 64 << 10

	version    = 1 // first byte of everything sealed
	keyIDSize  = 4 // bytes that name the data key
	headerSize = 1 + keyIDSize
	overhead   = headerSize + 12 + 16 // GCM's nonce and tag
)

// The reasons to refuse what [Sealer.Seal] and [Sealer.Open] are given. None
// tells anything about the secret.
var (
	ErrKeySize  = fmt.Errorf("want data keys of %d bytes", KeySize)
	ErrNoKey    = errors.New("want at least one data key")
	ErrTooLong  = fmt.Errorf("want a secret of at most %d bytes", MaxPlain)
	ErrFormat   = errors.New("not a sealed secret")
	ErrKey      = errors.New("sealed with a data key that is not here")
	ErrTampered = errors.New("sealed for another place, or changed since")
)

type keyID [keyIDSize]byte

// Sealer seals with its first data key and opens what any of its keys sealed,
// so a key is replaced by putting a new one before it. It is safe for
// concurrent use, prints as ***, and has no use as a zero value: see
// [NewSealer].
//
// What is sealed reads, in bytes: version 1, 4 of key id, 12 of random nonce,
// the AES-256-GCM ciphertext, 16 of tag. One data key is good for 2³² sealings.
type Sealer struct {
	current keyID
	keys    map[keyID]cipher.AEAD
}

// NewSealer makes a Sealer of data keys, each [KeySize] random bytes: the one
// that seals, then older ones that only open.
func NewSealer(current []byte, older ...[]byte) (*Sealer, error) {
	s := &Sealer{keys: make(map[keyID]cipher.AEAD, 1+len(older))}
	for i, key := range append([][]byte{current}, older...) {
		if len(key) != KeySize {
			return nil, ErrKeySize
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("use a data key: %w", err)
		}
		gcm, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("use a data key: %w", err)
		}
		id := nameOf(key)
		if _, taken := s.keys[id]; taken {
			return nil, fmt.Errorf("data key %d: the same as one before it", i)
		}
		s.keys[id] = gcm
		if i == 0 {
			s.current = id
		}
	}
	return s, nil
}

// nameOf derives a key's id from the key, so that there is nothing to number.
func nameOf(key []byte) keyID {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("postino data key id"))
	return keyID(mac.Sum(nil)[:keyIDSize])
}

// Seal encrypts plain for the one place that the parts of place name together,
// such as tenant, subscription and field. Sealing twice gives different bytes.
// It returns [ErrTooLong] beyond [MaxPlain].
func (s *Sealer) Seal(plain []byte, place ...string) ([]byte, error) {
	if len(plain) > MaxPlain {
		return nil, ErrTooLong
	}
	sealed := make([]byte, headerSize, overhead+len(plain))
	sealed[0] = version
	copy(sealed[1:], s.current[:])
	return s.keys[s.current].Seal(sealed, nil, plain, additional(sealed, place)), nil
}

// Open decrypts what [Sealer.Seal] sealed for the same place. It returns
// [ErrFormat], [ErrKey] or [ErrTampered] for all else.
func (s *Sealer) Open(sealed []byte, place ...string) ([]byte, error) {
	if len(sealed) < overhead || len(sealed) > overhead+MaxPlain || sealed[0] != version {
		return nil, ErrFormat
	}
	gcm, ok := s.keys[keyID(sealed[1:headerSize])]
	if !ok {
		return nil, ErrKey
	}
	plain, err := gcm.Open(nil, nil, sealed[headerSize:], additional(sealed[:headerSize], place))
	if err != nil {
		return nil, ErrTampered
	}
	return plain, nil
}

// Current reports whether sealed was sealed with the key that seals now; what
// was not can be sealed anew.
func (s *Sealer) Current(sealed []byte) bool {
	return len(sealed) >= headerSize && sealed[0] == version && keyID(sealed[1:headerSize]) == s.current
}

// proof is the text, and its place, by which a key shows that it is the one
// that has sealed before.
const proof = "postino proof"

// Proof seals a known text, for [Sealer.Check] to open later: whoever keeps it
// beside what is sealed learns at once that a key is another one.
func (s *Sealer) Proof() ([]byte, error) { return s.Seal([]byte(proof), proof) }

// Check returns why a proof cannot be opened; nil if one of the keys made it.
func (s *Sealer) Check(sealed []byte) error {
	plain, err := s.Open(sealed, proof)
	if err == nil && string(plain) != proof {
		err = ErrTampered
	}
	return err
}

// additional joins the header and the parts of a place, each with its length,
// so that ("a", "bc") and ("ab", "c") are two places.
func additional(header []byte, place []string) []byte {
	data := append(make([]byte, 0, 128), header...)
	for _, part := range place {
		data = binary.AppendUvarint(data, uint64(len(part)))
		data = append(data, part...)
	}
	return data
}

// Format keeps data keys out of everything printed.
func (s *Sealer) Format(f fmt.State, _ rune) { fmt.Fprint(f, stars) }

// LogValue keeps data keys out of logs.
func (s *Sealer) LogValue() slog.Value { return slog.StringValue(stars) }
