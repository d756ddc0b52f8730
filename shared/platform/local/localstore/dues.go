package localstore

import (
	"context"
	"encoding/json"
	"time"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// PutDue stores a pointer; the same pointer again changes nothing.
func (s *Store) PutDue(ctx context.Context, due webhook.Due) error {
	return s.db.Write(ctx, localdb.Background, func(tx *localdb.Tx) error {
		_, err := tx.Exec(`INSERT INTO dues (at, kind, tenant, subscription, id, round, step) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO NOTHING`, dueRow(due)...)
		return err
	})
}

// DeleteDue removes pointers; a repeat changes nothing.
func (s *Store) DeleteDue(ctx context.Context, dues []webhook.Due) error {
	if len(dues) == 0 {
		return nil
	}
	return s.db.Write(ctx, localdb.Background, func(tx *localdb.Tx) error {
		for _, due := range dues {
			_, err := tx.Exec(`DELETE FROM dues
				WHERE at = ? AND kind = ? AND tenant = ? AND subscription = ? AND id = ? AND round = ? AND step = ?`, dueRow(due)...)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// DueAt lists up to limit pointers of the minute, in order of time; next is ""
// at the end. One file has no use for shards: all pointers are in shard 0.
func (s *Store) DueAt(ctx context.Context, minute time.Time, shard int, position string, limit int) (dues []webhook.Due, next string, err error) {
	if shard > 0 {
		return nil, "", nil
	}
	after := webhook.Due{At: minute} // no pointer lacks a kind: all of the minute sort behind this
	if position != "" && json.Unmarshal([]byte(position), &after) != nil {
		return nil, "", webhook.ErrNotFound
	}
	args := append(dueRow(after), minute.Add(time.Minute).UTC().Format(timeLayout), limit)
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(`SELECT at, kind, tenant, subscription, id, round, step FROM dues
			WHERE (at, kind, tenant, subscription, id, round, step) > (?, ?, ?, ?, ?, ?, ?) AND at < ?
			ORDER BY at, kind, tenant, subscription, id, round, step LIMIT ?`, args, func(row *localdb.Row) error {
			due, err := readDue(row)
			dues = append(dues, due)
			return err
		})
	})
	if err != nil || len(dues) < limit {
		return dues, "", err
	}
	next, err = encode(dues[len(dues)-1])
	return dues, next, err
}

// CountDue counts the due pointers up to a time, at most limit.
func (s *Store) CountDue(ctx context.Context, through time.Time, limit int) (n int, err error) {
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query("SELECT count(*) FROM (SELECT 1 FROM dues WHERE at <= ? LIMIT ?)",
			[]any{through.UTC().Format(timeLayout), limit}, func(row *localdb.Row) error {
				n = int(row.Int64(0))
				return nil
			})
	})
	return n, err
}

func dueRow(d webhook.Due) []any {
	return []any{d.At.UTC().Format(timeLayout), string(d.Kind), d.Tenant, d.Subscription, d.ID, d.Round, d.Step}
}

func readDue(row *localdb.Row) (webhook.Due, error) {
	at, err := time.Parse(timeLayout, row.Text(0))
	return webhook.Due{
		At: at, Kind: webhook.DueKind(row.Text(1)), Tenant: row.Text(2), Subscription: row.Text(3), ID: row.Text(4),
		Round: int(row.Int64(5)), Step: int(row.Int64(6)),
	}, err
}

const lowWater = "low_water"

// LowWater returns the minute before which no pointer is left, zero before the
// first sweep.
func (s *Store) LowWater(ctx context.Context) (mark time.Time, err error) {
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query("SELECT at FROM marks WHERE name = ?", []any{lowWater}, func(row *localdb.Row) (err error) {
			mark, err = moment(row, 0)
			return err
		})
	})
	return mark, err
}

// RaiseLowWater moves the mark forward; to an earlier time it does nothing.
func (s *Store) RaiseLowWater(ctx context.Context, to time.Time) error {
	return s.db.Write(ctx, localdb.Background, func(tx *localdb.Tx) error {
		_, err := tx.Exec(`INSERT INTO marks (name, at) VALUES (?, ?)
			ON CONFLICT DO UPDATE SET at = excluded.at WHERE excluded.at > at`, lowWater, to.UTC().Format(timeLayout))
		return err
	})
}
