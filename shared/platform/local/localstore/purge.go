package localstore

import (
	"context"
	"time"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// purgeOfLife removes what belongs to a life of a subscription, up to a version
// (?3): each at most ?4 rows.
var purgeOfLife = []string{
	`DELETE FROM trigger_state WHERE tenant = ?1 AND subscription = ?2 AND (epoch, key, part) IN (
		SELECT epoch, key, part FROM trigger_state WHERE tenant = ?1 AND subscription = ?2 AND epoch <= ?3 LIMIT ?4)`,
	`DELETE FROM subscription_versions WHERE tenant = ?1 AND id = ?2 AND version IN (
		SELECT version FROM subscription_versions WHERE tenant = ?1 AND id = ?2 AND version <= ?3 LIMIT ?4)`,
}

// PurgeSubscription removes up to limit rows that a deleted life of a
// subscription left behind: trigger state and versions of epochs and numbers
// not above through, and, unless another life has begun, what is known of how
// its subscriber fared. It returns how many it removed, 0 at the end.
func (s *Store) PurgeSubscription(ctx context.Context, sub webhook.SubscriptionRef, through int64, limit int) (removed int, err error) {
	alive := false
	err = s.db.Write(ctx, localdb.Ordered, func(tx *localdb.Tx) error {
		removed = 0
		for _, sql := range purgeOfLife {
			n, err := tx.Exec(sql, sub.Tenant, sub.ID, through, limit-removed)
			if removed += n; err != nil {
				return err
			}
		}
		head, err := headOf(tx, sub)
		alive = head.Version != 0
		return err
	})
	if err != nil || alive || removed >= limit {
		return removed, err
	}
	n, err := s.PurgeHealth(ctx, sub, limit-removed)
	return removed + n, err
}

// BeginDeletion notes that a tenant is being deleted from now on, or returns
// [webhook.ErrNotFound]. A repeat changes nothing.
func (s *Store) BeginDeletion(ctx context.Context, tenant string, now time.Time) error {
	return s.change(ctx, func(tx *localdb.Tx) error {
		n, err := tx.Exec(`UPDATE tenants SET gone_began = iif(gone_began IS NULL OR gone_ended IS NOT NULL, ?2, gone_began), gone_ended = NULL
			WHERE tenant = ?1 AND known = 1`, tenant, stamp(now))
		if err == nil && n == 0 {
			err = webhook.ErrNotFound
		}
		return err
	})
}

// EndDeletion writes that a tenant's deletion has ended, and forgets its name.
// Its change counter goes on from where it was.
func (s *Store) EndDeletion(ctx context.Context, tenant string, now time.Time) error {
	return s.change(ctx, func(tx *localdb.Tx) error {
		_, err := tx.Exec(`UPDATE tenants SET gone_ended = ?2, known = 0, version = version + 1, subscriptions = 0, heavy = 0
			WHERE tenant = ?1 AND gone_began IS NOT NULL AND gone_ended IS NULL`, tenant, stamp(now))
		return err
	})
}

// PageTenants lists tenants by name.
func (s *Store) PageTenants(ctx context.Context, page webhook.Page) (tenants []string, next string, err error) {
	l := newList[string](page, anyText, "tenants")
	low, high, err := l.bounds("", "\x7f")
	if err != nil {
		return nil, "", err
	}
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query("SELECT tenant, known FROM tenants WHERE tenant >= ? AND tenant < ? ORDER BY tenant "+l.order(), []any{low, high}, func(row *localdb.Row) error {
			return l.row(row.Int64(1) == 1, func() string { return row.Text(0) }, func() (string, error) { return row.Text(0), nil })
		})
	})
	return l.page(err)
}

// PurgeTenant removes up to limit rows of a tenant that is being deleted, its
// keys first. It returns how many it removed, 0 at the end.
func (s *Store) PurgeTenant(ctx context.Context, tenant string, limit int) (removed int, err error) {
	if removed, err = s.Purge(ctx, tenant, limit); removed > 0 || err != nil {
		return removed, err
	}
	err = s.change(ctx, func(tx *localdb.Tx) error {
		removed = 0
		tables, err := tenantTables(tx)
		if err != nil {
			return err
		}
		for _, t := range tables {
			if removed >= limit {
				return nil
			}
			n, err := tx.Exec("DELETE FROM "+t.name+" WHERE tenant = ?1 AND ("+t.rest+") IN (SELECT "+t.rest+" FROM "+t.name+" WHERE tenant = ?1 LIMIT ?2)",
				tenant, limit-removed)
			if removed += n; err != nil {
				return err
			}
		}
		return nil
	})
	return removed, err
}

// tenantTable is a table whose primary key begins with the tenant.
type tenantTable struct {
	name string
	rest string // columns of the key behind the tenant
}

// tenantTables returns all of them but that of the tenants themselves. The due pointers, which
// name no tenant in their key, do nothing when what they point to is gone.
func tenantTables(tx *localdb.Tx) (tables []tenantTable, err error) {
	err = tx.Query(`SELECT t.name, group_concat(c.name, ', ') FROM sqlite_master t, pragma_table_info(t.name) c
		WHERE t.type = 'table' AND c.pk > 1 AND EXISTS (SELECT 1 FROM pragma_table_info(t.name) f WHERE f.pk = 1 AND f.name = 'tenant')
		GROUP BY t.name ORDER BY t.name`, nil, func(row *localdb.Row) error {
		tables = append(tables, tenantTable{row.Text(0), row.Text(1)})
		return nil
	})
	return tables, err
}
