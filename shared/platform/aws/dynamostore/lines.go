package dynamostore

import (
	"context"
	"errors"

	"github.com/postino/postino/shared/webhook"
)

var errNoDeliveryID = errors.New("dynamostore: enter line: not a delivery id")

// EnterLine adds a delivery; a repeat changes nothing.
func (s *Store) EnterLine(ctx context.Context, sub webhook.SubscriptionRef, delivery string) error {
	if !isDeliveryID(delivery) {
		return errNoDeliveryID
	}
	return s.put(ctx, "enter line", at(lineKey(sub, delivery)))
}

// LeaveLine removes deliveries; a repeat changes nothing.
func (s *Store) LeaveLine(ctx context.Context, sub webhook.SubscriptionRef, deliveries []string) error {
	var keys []key
	for _, id := range deliveries {
		if isDeliveryID(id) {
			keys = append(keys, lineKey(sub, id))
		}
	}
	return s.deleteAll(ctx, "leave line", keys)
}

// Line returns up to limit waiting delivery ids greater than after,
// ascending, consistently: the oldest events first.
func (s *Store) Line(ctx context.Context, sub webhook.SubscriptionRef, after string, limit int) ([]string, error) {
	pks := shardPKs(deliveryShards, func(shard string) string { return linePK(sub, shard) })
	rng := deliveryRange(webhook.Page{}).behind(after)
	m := s.merge("line", pks, rng, source{consistent: true}, limit)
	var ids []string
	for len(ids) < limit {
		it, err := m.next(ctx)
		if err != nil || it == nil {
			return ids, err
		}
		ids = append(ids, it.str("sk"))
	}
	return ids, nil
}

func lineKey(sub webhook.SubscriptionRef, delivery string) key {
	return key{linePK(sub, shard(delivery, deliveryShards)), delivery}
}
