package localstore

import (
	"context"

	"github.com/postino/postino/shared/localdb"
	"github.com/postino/postino/shared/webhook"
)

// maxChanges is how many of a tenant's newest changes the log keeps. Who lags
// further behind loads everything.
const maxChanges = 10_000

// EnsureTenant registers the tenant; a repeat changes nothing.
func (s *Store) EnsureTenant(ctx context.Context, tenant string) error {
	known := false
	err := s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query("SELECT 1 FROM tenants WHERE tenant = ?", []any{tenant}, func(*localdb.Row) error {
			known = true
			return nil
		})
	})
	if err != nil || known {
		return err
	}
	return s.db.Write(ctx, localdb.Durable, func(tx *localdb.Tx) error {
		_, err := tx.Exec("INSERT INTO tenants (tenant, version) VALUES (?, 0) ON CONFLICT DO NOTHING", tenant)
		return err
	})
}

// TenantVersion returns the tenant's change counter, 0 before the first
// change.
func (s *Store) TenantVersion(ctx context.Context, tenant string) (version int64, err error) {
	version, found, generation := s.recent.findVersion(tenant)
	if found {
		return version, nil
	}
	err = s.db.Read(ctx, func(tx *localdb.Tx) (err error) {
		version, err = tenantVersion(tx, tenant)
		return err
	})
	if err == nil {
		s.recent.put(generation, nil, map[string]int64{tenant: version})
	}
	return version, err
}

func tenantVersion(tx *localdb.Tx, tenant string) (version int64, err error) {
	err = tx.Query("SELECT version FROM tenants WHERE tenant = ?", []any{tenant}, func(row *localdb.Row) error {
		version = row.Int64(0)
		return nil
	})
	return version, err
}

// Changes lists the changes with after < Version <= through, ascending, or
// returns [webhook.ErrGap] if the log does not hold all of them.
func (s *Store) Changes(ctx context.Context, tenant string, after, through int64) (changes []webhook.Change, err error) {
	if through-after > maxChanges {
		return nil, webhook.ErrGap
	}
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(`SELECT version, subscription FROM changes
			WHERE tenant = ? AND version > ? AND version <= ? ORDER BY version`,
			[]any{tenant, after, through}, func(row *localdb.Row) error {
				changes = append(changes, webhook.Change{Version: row.Int64(0), Subscription: row.Text(1)})
				return nil
			})
	})
	if err == nil && int64(len(changes)) < through-after {
		return nil, webhook.ErrGap
	}
	return changes, err
}

// change raises the tenant's version, logs which subscription changed with
// it, and forgets what is too old.
func change(tx *localdb.Tx, tenant, subscription string) (version int64, err error) {
	_, err = tx.Exec(`INSERT INTO tenants (tenant, version) VALUES (?, 1)
		ON CONFLICT DO UPDATE SET version = version + 1`, tenant)
	if err != nil {
		return 0, err
	}
	if version, err = tenantVersion(tx, tenant); err != nil {
		return 0, err
	}
	if _, err := tx.Exec("INSERT INTO changes (tenant, version, subscription) VALUES (?, ?, ?)", tenant, version, subscription); err != nil {
		return 0, err
	}
	_, err = tx.Exec("DELETE FROM changes WHERE tenant = ? AND version <= ?", tenant, version-maxChanges)
	return version, err
}
