package localstore

import (
	"context"
	"time"

	"github.com/postino/postino/shared/localdb"
	"github.com/postino/postino/shared/webhook"
)

// PutSecret stores a secret under its name, and reports whether there was none.
func (s *Store) PutSecret(ctx context.Context, secret webhook.NamedSecret) (created bool, err error) {
	err = s.db.Write(ctx, localdb.Durable, func(tx *localdb.Tx) error {
		changed, err := tx.Exec(`UPDATE secrets SET sealed = ?, updated = ? WHERE tenant = ? AND name = ?`,
			secret.Sealed, secret.UpdatedAt.UTC().Format(timeLayout), secret.Tenant, secret.Name)
		if created = changed == 0; err != nil || !created {
			return err
		}
		_, err = tx.Exec(`INSERT INTO secrets (tenant, name, sealed, updated) VALUES (?, ?, ?, ?)`,
			secret.Tenant, secret.Name, secret.Sealed, secret.UpdatedAt.UTC().Format(timeLayout))
		return err
	})
	return created, err
}

// Secrets returns the named secrets that exist, sealed, by name.
func (s *Store) Secrets(ctx context.Context, tenant string, names []string) (map[string]webhook.NamedSecret, error) {
	secrets := map[string]webhook.NamedSecret{}
	err := s.db.Read(ctx, func(tx *localdb.Tx) error {
		for _, name := range names {
			err := tx.Query(`SELECT sealed, updated FROM secrets WHERE tenant = ? AND name = ?`, []any{tenant, name}, func(row *localdb.Row) error {
				updated, err := time.Parse(timeLayout, row.Text(1))
				secrets[name] = webhook.NamedSecret{Tenant: tenant, Name: name, Sealed: row.Bytes(0), UpdatedAt: updated}
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
		return tx.Query(`SELECT name, updated FROM secrets WHERE tenant = ? AND name >= ? AND name < ? ORDER BY name `+l.order(),
			[]any{tenant, low, high}, func(row *localdb.Row) error {
				return l.row(true, func() string { return row.Text(0) }, func() (webhook.NamedSecret, error) {
					updated, err := time.Parse(timeLayout, row.Text(1))
					return webhook.NamedSecret{Tenant: tenant, Name: row.Text(0), UpdatedAt: updated}, err
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
