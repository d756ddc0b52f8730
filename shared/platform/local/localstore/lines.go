package localstore

import (
	"context"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// EnterLine adds a delivery to the subscription's waiting line; a repeat
// changes nothing.
func (s *Store) EnterLine(ctx context.Context, sub webhook.SubscriptionRef, delivery string) error {
	return s.db.Write(ctx, localdb.Background, func(tx *localdb.Tx) error {
		_, err := tx.Exec("INSERT INTO lines (tenant, subscription, delivery) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", sub.Tenant, sub.ID, delivery)
		return err
	})
}

// LeaveLine removes deliveries; a repeat changes nothing.
func (s *Store) LeaveLine(ctx context.Context, sub webhook.SubscriptionRef, deliveries []string) error {
	if len(deliveries) == 0 {
		return nil
	}
	return s.db.Write(ctx, localdb.Background, func(tx *localdb.Tx) error {
		for _, d := range deliveries {
			if _, err := tx.Exec("DELETE FROM lines WHERE tenant = ? AND subscription = ? AND delivery = ?", sub.Tenant, sub.ID, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// Line returns up to limit waiting delivery ids greater than after, ascending.
func (s *Store) Line(ctx context.Context, sub webhook.SubscriptionRef, after string, limit int) (ids []string, err error) {
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query("SELECT delivery FROM lines WHERE tenant = ? AND subscription = ? AND delivery > ? ORDER BY delivery LIMIT ?",
			[]any{sub.Tenant, sub.ID, after, limit}, func(row *localdb.Row) error {
				ids = append(ids, row.Text(0))
				return nil
			})
	})
	return ids, err
}
