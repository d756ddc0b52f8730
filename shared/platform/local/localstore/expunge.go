package localstore

import (
	"context"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// ExpungeEvent removes what was published with an event but its ids, type and
// times.
func (s *Store) ExpungeEvent(ctx context.Context, tenant, source, id string) error {
	return s.db.Write(ctx, localdb.Durable, func(tx *localdb.Tx) error {
		n, err := tx.Exec("UPDATE events SET expunged = 1, subject = '', extensions = NULL, data = NULL, profile = NULL WHERE tenant = ? AND key = ?",
			tenant, webhook.EventKey(source, id))
		if err == nil && n == 0 {
			err = webhook.ErrNotFound
		}
		return err
	})
}

// ExpungeParts removes a delivery's body and what was answered to its attempts,
// which stay.
func (s *Store) ExpungeParts(ctx context.Context, tenant, delivery string) error {
	return s.db.Write(ctx, localdb.Ordered, func(tx *localdb.Tx) error {
		return expungeParts(tx, tenant, delivery)
	})
}

func expungeParts(tx *localdb.Tx, tenant, delivery string) error {
	_, err := tx.Exec("DELETE FROM contents WHERE tenant = ? AND delivery = ?", tenant, delivery)
	if err == nil {
		_, err = tx.Exec("UPDATE attempts SET body = json_remove(body, '$.response') WHERE tenant = ? AND delivery = ?", tenant, delivery)
	}
	return err
}
