package dynamostore

import (
	"context"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// Items is the table that nouns are kept in.
func (s *Store) Items() table.Table { return itemTable{s} }

// SetNow replaces the clock that expiry is counted from.
func (s *Store) SetNow(now func() time.Time) { s.Now = now }

// Expiry returns what tells when an item expires, zero for never, and whether
// it exists.
func (s *Store) Expiry(ctx context.Context) func(k key) (at time.Time, exists bool, err error) {
	return func(k key) (at time.Time, exists bool, err error) {
		it, err := s.get(ctx, "expiry", k)
		if n := it.int("expires"); n != 0 {
			at = time.Unix(n, 0).UTC()
		}
		return at, it != nil, err
	}
}

// The keys of some items.
func EventKey(e webhook.StoredEvent) key   { return eventItemKey(e.Tenant, e.Key()) }
func DeliveryKey(d webhook.Delivery) key   { k, _ := deliveryKey(d.Tenant, d.ID); return k }
func PayloadKey(e webhook.StoredEvent) key { return payloadKey(e.Tenant, e.Key(), e.Nonce) }
func ContentKey(d webhook.Delivery) key    { return DeliveryKey(d).content() }
func AttemptKey(d webhook.Delivery) key    { return DeliveryKey(d).attempt(d.Attempts) }
func HeadKey(s webhook.Subscription) key {
	return key{"s#" + s.Tenant + "#" + shard(s.ID, 8), s.ID}
}

func VersionKey(s webhook.Subscription) key {
	return key{"v#" + s.Tenant + "#" + s.ID, table.Ordinal(s.Version)}
}

func ChangeKey(s webhook.Subscription) key { return key{"c#" + s.Tenant, table.Ordinal(s.Version)} }

func LineKey(sub webhook.SubscriptionRef, id string) key {
	return key{"w#" + sub.Tenant + "#" + sub.ID + "#" + shard(id, 4), id}
}

// PutAtOnce stores events and deliveries, whatever was there.
func (s *Store) PutAtOnce(ctx context.Context, events []webhook.StoredEvent, deliveries []webhook.Delivery) error {
	var items []item
	for _, e := range events {
		items = append(items, s.eventItem(e))
	}
	for _, d := range deliveries {
		it, err := s.deliveryItem(DeliveryKey(d), d)
		if err != nil {
			return err
		}
		items = append(items, it)
	}
	return s.putAll(ctx, "put at once", items)
}
