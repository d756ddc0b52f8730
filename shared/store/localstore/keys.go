package localstore

import (
	"context"

	"github.com/postino/postino/shared/localdb"
	"github.com/postino/postino/shared/webhook"
)

// PutKey stores a key under its id.
func (s *Store) PutKey(ctx context.Context, key webhook.Key) error {
	return s.db.Write(ctx, localdb.Durable, func(tx *localdb.Tx) error {
		_, err := tx.Exec(`INSERT INTO keys (tenant, id, hash, role, name, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET hash = excluded.hash, role = excluded.role, name = excluded.name,
				created = excluded.created, expires = excluded.expires`,
			key.Tenant, key.ID, key.Hash, string(key.Role), key.Name, stamp(key.CreatedAt), stamp(key.ExpiresAt))
		return err
	})
}

const selectKeys = "SELECT id, role, name, created, expires, hash FROM keys WHERE tenant = ?"

// Key returns a tenant's key, or [webhook.ErrNotFound].
func (s *Store) Key(ctx context.Context, tenant, id string) (key webhook.Key, err error) {
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(selectKeys+" AND id = ?", []any{tenant, id}, func(row *localdb.Row) (err error) {
			key, err = readKey(row, tenant)
			key.Hash = row.Bytes(5)
			return err
		})
	})
	if err == nil && key.ID == "" {
		err = webhook.ErrNotFound
	}
	return key, err
}

// PageKeys lists keys by id, without their hashes.
func (s *Store) PageKeys(ctx context.Context, tenant string, page webhook.Page) (keys []webhook.Key, next string, err error) {
	l := newList[webhook.Key](page, "keys", tenant)
	low, high, err := l.bounds("", "\x7f")
	if err != nil {
		return nil, "", err
	}
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(selectKeys+" AND id >= ? AND id < ? ORDER BY id "+l.order(), []any{tenant, low, high}, func(row *localdb.Row) error {
			return l.row(true, func() string { return row.Text(0) }, func() (webhook.Key, error) { return readKey(row, tenant) })
		})
	})
	return l.page(err)
}

// readKey leaves the hash out.
func readKey(row *localdb.Row, tenant string) (key webhook.Key, err error) {
	key = webhook.Key{Tenant: tenant, ID: row.Text(0), Role: webhook.KeyRole(row.Text(1)), Name: row.Text(2)}
	if key.CreatedAt, err = moment(row, 3); err != nil {
		return key, err
	}
	key.ExpiresAt, err = moment(row, 4)
	return key, err
}

// DeleteKey removes a key, or returns [webhook.ErrNotFound].
func (s *Store) DeleteKey(ctx context.Context, tenant, id string) error {
	return s.db.Write(ctx, localdb.Durable, func(tx *localdb.Tx) error {
		n, err := tx.Exec("DELETE FROM keys WHERE tenant = ? AND id = ?", tenant, id)
		if err == nil && n == 0 {
			return webhook.ErrNotFound
		}
		return err
	})
}
