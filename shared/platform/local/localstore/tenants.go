package localstore

import (
	"cmp"
	"context"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// maxChanges is how many of a tenant's newest changes the log keeps. Who lags
// further behind loads everything.
const maxChanges = 10_000

// EnsureTenant registers the tenant, and reports whether it was not known; a
// repeat changes nothing. While it is being deleted, [webhook.ErrDeleting].
func (s *Store) EnsureTenant(ctx context.Context, tenant string) (created bool, err error) {
	known := false
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query("SELECT known = 1 AND (gone_began IS NULL OR gone_ended IS NOT NULL) FROM tenants WHERE tenant = ?", []any{tenant}, func(row *localdb.Row) error {
			known = row.Int64(0) == 1
			return nil
		})
	})
	if err != nil || known {
		return false, err
	}
	err = s.db.Write(ctx, localdb.Durable, func(tx *localdb.Tx) error {
		if state, err := tenantState(tx, tenant); err != nil || state.Running() {
			return cmp.Or(err, webhook.ErrDeleting)
		}
		n, err := tx.Exec("INSERT INTO tenants (tenant, version) VALUES (?, 0) ON CONFLICT DO UPDATE SET known = 1 WHERE known = 0", tenant)
		created = n == 1
		return err
	})
	return created, err
}

// FindTenant returns nil if the tenant is known, [webhook.ErrNotFound] if it is
// not, and [webhook.ErrDeleting] while it is being deleted.
func (s *Store) FindTenant(ctx context.Context, tenant string) error {
	return s.db.Read(ctx, func(tx *localdb.Tx) error {
		if state, err := tenantState(tx, tenant); err != nil || state.Running() {
			return cmp.Or(err, webhook.ErrDeleting)
		}
		known := false
		err := tx.Query("SELECT known FROM tenants WHERE tenant = ?", []any{tenant}, func(row *localdb.Row) error {
			known = row.Int64(0) == 1
			return nil
		})
		if err == nil && !known {
			return webhook.ErrNotFound
		}
		return err
	})
}

// TenantVersion returns the tenant's change counter, 0 before the first
// change.
func (s *Store) TenantVersion(ctx context.Context, tenant string) (version int64, err error) {
	state, err := s.TenantState(ctx, tenant)
	return state.Version, err
}

// TenantState returns the same counter, and the tenant's last deletion.
func (s *Store) TenantState(ctx context.Context, tenant string) (state webhook.TenantState, err error) {
	state, found, generation := s.recent.findTenant(tenant)
	if found {
		return state, nil
	}
	err = s.db.Read(ctx, func(tx *localdb.Tx) (err error) {
		state, err = tenantState(tx, tenant)
		return err
	})
	if err == nil {
		s.recent.put(generation, nil, map[string]webhook.TenantState{tenant: state})
	}
	return state, err
}

// PeopleChanged counts a change of a tenant's computed attributes or segments.
func (s *Store) PeopleChanged(ctx context.Context, tenant string) error {
	return s.recent.change(func() error {
		return s.db.Write(ctx, localdb.Durable, func(tx *localdb.Tx) error {
			_, err := tx.Exec("INSERT INTO tenants (tenant, version, known, people) VALUES (?, 0, 0, 1) ON CONFLICT DO UPDATE SET people = people + 1", tenant)
			return err
		})
	})
}

func tenantState(tx *localdb.Tx, tenant string) (state webhook.TenantState, err error) {
	err = tx.Query("SELECT version, gone_began, gone_ended, people FROM tenants WHERE tenant = ?", []any{tenant}, func(row *localdb.Row) (err error) {
		state.Version, state.People = row.Int64(0), row.Int64(3)
		if state.Began, err = moment(row, 1); err != nil {
			return err
		}
		state.Ended, err = moment(row, 2)
		return err
	})
	return state, err
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
