package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/platform/local/engine"
)

// keyPath is the file of the keys that seal secrets.
func keyPath(data string) string { return filepath.Join(data, "sealing.key") }

// openSealer opens, or at the first start makes, the key that seals secrets. It
// is there before the database is, so data without it has lost it: a new one
// could open none of the secrets in it.
func openSealer(data string) (*secret.Sealer, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	key := keyPath(data)
	if _, err := os.Stat(key); errors.Is(err, fs.ErrNotExist) && engine.Exists(data) {
		return nil, fmt.Errorf("%s is missing: restore it, because the secrets in the data cannot be decrypted without it", key)
	}
	return secret.FromFile(key)
}

// proofPrefix is before keys that are a known text, sealed by each key that has
// ever sealed here.
const proofPrefix = 'p'

// proveSealer refuses keys that cannot open what was sealed here: with another
// key everything would start, and no callback could be signed.
func (s *Server) proveSealer(ctx context.Context, sealer *secret.Sealer) error {
	proven := false
	err := s.db.Scan(engine.Prefix(proofPrefix), func(key, _ []byte) (bool, error) {
		proof := key[1:]
		if err := sealer.Check(proof); err != nil {
			return false, fmt.Errorf("%s does not open what was sealed in %s: %w: restore the right file, with all its lines", keyPath(s.config.Data), s.config.Data, err)
		}
		proven = proven || sealer.Current(proof)
		return true, nil
	})
	if err != nil || proven {
		return err
	}
	proof, err := sealer.Proof()
	if err != nil {
		return err
	}
	return s.db.Write(ctx, engine.Durable, func(tx *engine.Tx) error {
		tx.Set(append([]byte{proofPrefix}, proof...), nil)
		return nil
	})
}
