package localstore

import (
	"context"

	"github.com/postino/postino/shared/localdb"
	"github.com/postino/postino/shared/webhook"
)

// purgeOfLife removes what belongs to a life of a subscription, up to a version
// (?3), and purgeOfName what belongs to its name, whoever bears it: each at
// most ?4 rows.
var (
	purgeOfLife = []string{
		`DELETE FROM trigger_state WHERE tenant = ?1 AND subscription = ?2 AND (epoch, key, part) IN (
			SELECT epoch, key, part FROM trigger_state WHERE tenant = ?1 AND subscription = ?2 AND epoch <= ?3 LIMIT ?4)`,
		`DELETE FROM subscription_versions WHERE tenant = ?1 AND id = ?2 AND version IN (
			SELECT version FROM subscription_versions WHERE tenant = ?1 AND id = ?2 AND version <= ?3 LIMIT ?4)`,
	}
	purgeOfName = []string{
		`DELETE FROM tallies WHERE tenant = ?1 AND subscription = ?2 AND window IN (
			SELECT window FROM tallies WHERE tenant = ?1 AND subscription = ?2 AND window <= ?3 LIMIT ?4)`,
		`DELETE FROM reservations WHERE tenant = ?1 AND subscription = ?2 AND ?3 >= 0 AND ?4 > 0`,
	}
)

// endOfTallies is beyond every window.
const endOfTallies = 1 << 40

// PurgeSubscription removes up to limit rows that a deleted life of a
// subscription left behind: trigger state and versions of epochs and numbers
// not above through, and, unless another life has begun, what is known of how
// its subscriber fared. It returns how many it removed, 0 at the end.
func (s *Store) PurgeSubscription(ctx context.Context, sub webhook.SubscriptionRef, through int64, limit int) (removed int, err error) {
	err = s.db.Write(ctx, localdb.Ordered, func(tx *localdb.Tx) error {
		removed = 0
		remove := func(through int64, statements []string) error {
			for _, sql := range statements {
				if removed >= limit {
					return nil
				}
				n, err := tx.Exec(sql, sub.Tenant, sub.ID, through, limit-removed)
				if removed += n; err != nil {
					return err
				}
			}
			return nil
		}
		if err := remove(through, purgeOfLife); err != nil {
			return err
		}
		head, err := headOf(tx, sub)
		if err != nil || head.Version != 0 {
			return err
		}
		return remove(endOfTallies, purgeOfName)
	})
	return removed, err
}
