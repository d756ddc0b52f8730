package record

import (
	"context"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

func lineKey(sub webhook.SubscriptionRef, delivery string) table.Key {
	return and(ofSubscription(lineKind, sub), delivery)
}

// EnterLine adds a delivery to the subscription's waiting line; a repeat
// changes nothing.
func (s *Store) EnterLine(ctx context.Context, sub webhook.SubscriptionRef, delivery string) error {
	_, _, err := s.table.Put(ctx, table.Item{Key: lineKey(sub, delivery), Fields: table.Fields{}}, table.How{Wait: table.ForOthers})
	return err
}

// LeaveLine removes deliveries; a repeat changes nothing.
func (s *Store) LeaveLine(ctx context.Context, sub webhook.SubscriptionRef, deliveries []string) error {
	keys := make([]table.Key, len(deliveries))
	for i, d := range deliveries {
		keys[i] = lineKey(sub, d)
	}
	return s.table.DeleteAll(ctx, keys, table.ForOthers)
}

// Line returns up to limit waiting delivery ids greater than after, ascending.
func (s *Store) Line(ctx context.Context, sub webhook.SubscriptionRef, after string, limit int) (ids []string, err error) {
	r := below(ofSubscription(lineKind, sub))
	begin := len(r.From)
	if after != "" {
		r.From += after + "\x00"
	}
	items, err := s.table.Page(ctx, r, limit)
	for _, it := range items {
		ids = append(ids, it.Sort[begin:])
	}
	return ids, err
}
