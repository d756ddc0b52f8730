package localstore

import (
	"context"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// Occasions lists an event's deliveries that have an occasion, by id, from the
// position on; next is "" at the end.
func (s *Store) Occasions(ctx context.Context, tenant, source, id, position string, limit int) (deliveries []webhook.Delivery, next string, err error) {
	query := listOccasions(tenant, source, id, position, limit+1)
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(query.sql, query.args, func(row *localdb.Row) error {
			d, err := readDelivery(row, tenant)
			deliveries = append(deliveries, d)
			return err
		})
	})
	if err != nil || len(deliveries) <= limit {
		return deliveries, "", err
	}
	return deliveries[:limit], deliveries[limit-1].ID, nil
}

// listOccasions selects the ids greater than after.
func listOccasions(tenant, source, id, after string, limit int) statement {
	return statement{
		selectBy("occasion") + " AND event_source = ? AND event_id = ? AND occasion <> '' AND id > ? ORDER BY id LIMIT ?",
		[]any{tenant, source, id, after, limit},
	}
}
