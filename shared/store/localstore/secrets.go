package localstore

import (
	"context"
	"time"

	"github.com/postino/postino/shared/localdb"
	"github.com/postino/postino/shared/webhook"
)

// PutSecret stores a secret under its name, and returns it with whether there
// was none. If keep, one that was there keeps its Portal.
func (s *Store) PutSecret(ctx context.Context, secret webhook.NamedSecret, keep bool) (stored webhook.NamedSecret, created bool, err error) {
	err = s.db.Write(ctx, localdb.Durable, func(tx *localdb.Tx) error {
		stored, created = secret, true
		err := tx.Query(`SELECT portal FROM secrets WHERE tenant = ? AND name = ?`, []any{secret.Tenant, secret.Name}, func(row *localdb.Row) error {
			if created = false; keep {
				stored.Portal = row.Int64(0) != 0
			}
			return nil
		})
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT OR REPLACE INTO secrets (tenant, name, sealed, updated, portal) VALUES (?, ?, ?, ?, ?)`,
			secret.Tenant, secret.Name, secret.Sealed, secret.UpdatedAt.UTC().Format(timeLayout), stored.Portal)
		return err
	})
	return stored, created, err
}

// Secrets returns the named secrets that exist, sealed, by name.
func (s *Store) Secrets(ctx context.Context, tenant string, names []string) (map[string]webhook.NamedSecret, error) {
	secrets := map[string]webhook.NamedSecret{}
	err := s.db.Read(ctx, func(tx *localdb.Tx) error {
		for _, name := range names {
			err := tx.Query(`SELECT sealed, updated, portal FROM secrets WHERE tenant = ? AND name = ?`, []any{tenant, name}, func(row *localdb.Row) error {
				updated, err := time.Parse(timeLayout, row.Text(1))
				secrets[name] = webhook.NamedSecret{Tenant: tenant, Name: name, Sealed: row.Bytes(0), Portal: row.Int64(2) != 0, UpdatedAt: updated}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return secrets, err
}

// PageSecrets lists secrets by name, without their values.
func (s *Store) PageSecrets(ctx context.Context, tenant string, page webhook.Page) (secrets []webhook.NamedSecret, next string, err error) {
	l := newList[webhook.NamedSecret](page, "secrets", tenant)
	low, high, err := l.bounds("", "\x7f")
	if err != nil {
		return nil, "", err
	}
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(`SELECT name, updated, portal FROM secrets WHERE tenant = ? AND name >= ? AND name < ? ORDER BY name `+l.order(),
			[]any{tenant, low, high}, func(row *localdb.Row) error {
				return l.row(true, func() string { return row.Text(0) }, func() (webhook.NamedSecret, error) {
					updated, err := time.Parse(timeLayout, row.Text(1))
					return webhook.NamedSecret{Tenant: tenant, Name: row.Text(0), Portal: row.Int64(2) != 0, UpdatedAt: updated}, err
				})
			})
	})
	return l.page(err)
}

// DeleteSecret removes a secret, or returns [webhook.ErrNotFound].
func (s *Store) DeleteSecret(ctx context.Context, tenant, name string) error {
	return s.db.Write(ctx, localdb.Durable, func(tx *localdb.Tx) error {
		n, err := tx.Exec(`DELETE FROM secrets WHERE tenant = ? AND name = ?`, tenant, name)
		if err == nil && n == 0 {
			return webhook.ErrNotFound
		}
		return err
	})
}
