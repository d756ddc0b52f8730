package localstore

import (
	"context"
	"time"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// TriggerState returns the parts in the order asked for, all as of one moment.
// Those that are not stored have Rev 0.
func (s *Store) TriggerState(ctx context.Context, refs []webhook.StateRef) ([]webhook.StateItem, error) {
	parts := make([]webhook.StateItem, len(refs))
	err := s.db.Read(ctx, func(tx *localdb.Tx) error {
		for i, ref := range refs {
			parts[i] = webhook.StateItem{StateRef: ref}
			err := tx.Query(selectState+" AND part = ?", append(stateKey(ref), ref.Part), func(row *localdb.Row) (err error) {
				parts[i], err = readState(row, ref)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return parts, nil
}

// SaveTriggerState stores all items, each with Rev+1, if every stored one
// still has its Rev (0: is not stored); otherwise [webhook.ErrConflict] and
// nothing is written.
func (s *Store) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	if len(items) == 0 {
		return nil
	}
	return s.db.Write(ctx, localdb.Ordered, func(tx *localdb.Tx) error {
		for _, it := range items {
			if err := putState(tx, it); err != nil {
				return err
			}
		}
		return nil
	})
}

func putState(tx *localdb.Tx, it webhook.StateItem) error {
	args := append(stateKey(it.StateRef), it.Part, stamp(it.Expires), string(it.Data))
	sql := `INSERT INTO trigger_state (tenant, subscription, epoch, key, part, expires, data, rev) VALUES (?, ?, ?, ?, ?, ?, ?, 1)
		ON CONFLICT DO NOTHING`
	if it.Rev > 0 {
		sql = `UPDATE trigger_state SET expires = ?6, data = ?7, rev = rev + 1
			WHERE tenant = ?1 AND subscription = ?2 AND epoch = ?3 AND key = ?4 AND part = ?5 AND rev = ?8`
		args = append(args, it.Rev)
	}
	changed, err := tx.Exec(sql, args...)
	if err == nil && changed == 0 {
		err = webhook.ErrConflict
	}
	return err
}

// ListTriggerState returns up to limit parts of ref's key whose names are
// greater than ref.Part, by name.
func (s *Store) ListTriggerState(ctx context.Context, ref webhook.StateRef, limit int) (parts []webhook.StateItem, err error) {
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		args := append(stateKey(ref), ref.Part, limit)
		return tx.Query(selectState+" AND part > ? ORDER BY part LIMIT ?", args, func(row *localdb.Row) error {
			ref.Part = row.Text(0)
			part, err := readState(row, ref)
			parts = append(parts, part)
			return err
		})
	})
	return parts, err
}

// DeleteTriggerState removes parts, whatever they hold; a repeat changes
// nothing.
func (s *Store) DeleteTriggerState(ctx context.Context, refs []webhook.StateRef) error {
	if len(refs) == 0 {
		return nil
	}
	return s.db.Write(ctx, localdb.Durable, func(tx *localdb.Tx) error {
		for _, ref := range refs {
			_, err := tx.Exec("DELETE FROM trigger_state WHERE tenant = ? AND subscription = ? AND epoch = ? AND key = ? AND part = ?",
				append(stateKey(ref), ref.Part)...)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// KeepEvent sees to it that an event keeps its data until the given time.
func (s *Store) KeepEvent(ctx context.Context, tenant, eventKey string, until time.Time) error {
	return s.db.Write(ctx, localdb.Ordered, func(tx *localdb.Tx) error {
		_, err := tx.Exec("UPDATE events SET keep = max(coalesce(keep, ''), ?) WHERE tenant = ? AND key = ?", stamp(until), tenant, eventKey)
		return err
	})
}

const selectState = `SELECT part, rev, expires, data FROM trigger_state
	WHERE tenant = ? AND subscription = ? AND epoch = ? AND key = ?`

func stateKey(ref webhook.StateRef) []any {
	return []any{ref.Tenant, ref.Subscription, ref.Epoch, ref.Key}
}

func readState(row *localdb.Row, ref webhook.StateRef) (part webhook.StateItem, err error) {
	part = webhook.StateItem{StateRef: ref, Rev: row.Int64(1), Data: []byte(row.Text(3))}
	part.Expires, err = moment(row, 2)
	return part, err
}
