package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/platform/local/localdb"
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
	_, noData := os.Stat(filepath.Join(data, "postino.db"))
	if _, err := os.Stat(key); errors.Is(err, fs.ErrNotExist) && noData == nil {
		return nil, fmt.Errorf("%s is missing: restore it, because the secrets in the data cannot be decrypted without it", key)
	}
	return secret.FromFile(key)
}

// sealingTables hold a known text, sealed by each key that has ever sealed here.
var sealingTables = []string{"CREATE TABLE sealing_proofs (sealed BLOB NOT NULL PRIMARY KEY) WITHOUT ROWID"}

// proveSealer refuses keys that cannot open what was sealed here: with another
// key everything would start, and no callback could be signed.
func (s *Server) proveSealer(ctx context.Context, sealer *secret.Sealer) error {
	if err := s.db.Migrate(ctx, "sealing", sealingTables); err != nil {
		return err
	}
	return s.db.Write(ctx, localdb.Durable, func(tx *localdb.Tx) error {
		var proofs [][]byte
		err := tx.Query("SELECT sealed FROM sealing_proofs", nil, func(row *localdb.Row) error {
			proofs = append(proofs, row.Bytes(0))
			return nil
		})
		if err != nil {
			return err
		}
		proven := false
		for _, proof := range proofs {
			if err := sealer.Check(proof); err != nil {
				return fmt.Errorf("%s does not open what was sealed in %s: %w: restore the right file, with all its lines", keyPath(s.config.Data), s.config.Data, err)
			}
			proven = proven || sealer.Current(proof)
		}
		if proven {
			return nil
		}
		proof, err := sealer.Proof()
		if err == nil {
			_, err = tx.Exec("INSERT INTO sealing_proofs VALUES (?)", proof)
		}
		return err
	})
}
