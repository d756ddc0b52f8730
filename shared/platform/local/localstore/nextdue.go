package localstore

import (
	"context"
	"time"

	"github.com/postino/postino/shared/platform/local/localdb"
)

// NextDue returns the time of the earliest due pointer, zero if there is none:
// where a clock that is moved by hand stops next.
func (s *Store) NextDue(ctx context.Context) (at time.Time, err error) {
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(`SELECT at FROM dues ORDER BY at LIMIT 1`, nil, func(row *localdb.Row) (err error) {
			at, err = time.Parse(timeLayout, row.Text(0))
			return err
		})
	})
	return at, err
}
