package localstore

import (
	"context"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// SaveHealth stores h in the subscription's head if that is of the version and
// its health has h.Rev; otherwise [webhook.ErrConflict].
func (s *Store) SaveHealth(ctx context.Context, ref webhook.VersionRef, h webhook.Health) error {
	return s.recent.change(func() error {
		return s.db.Write(ctx, localdb.Background, func(tx *localdb.Tx) error {
			head, err := headOf(tx, webhook.SubscriptionRef{Tenant: ref.Tenant, ID: ref.ID})
			if err != nil {
				return err
			}
			if head.Version != ref.Version || head.Version == 0 || head.Health.Rev != h.Rev {
				return webhook.ErrConflict
			}
			next := h
			next.Rev++
			text, err := encode(next)
			if err != nil {
				return err
			}
			_, err = tx.Exec("UPDATE subscriptions SET health = ? WHERE tenant = ? AND id = ?", text, ref.Tenant, ref.ID)
			return err
		})
	})
}
