package dynamostore

import (
	"context"
	"hash/fnv"
	"strconv"
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
func EventKey(e webhook.StoredEvent) key { return key{"e#" + e.Tenant + "#" + e.Key(), "!"} }

func PayloadKey(e webhook.StoredEvent) key {
	return key{EventKey(e).pk, "D#" + table.Name(e.Nonce)}
}

func DeliveryKey(d webhook.Delivery) key {
	_, tag, _ := webhook.ParseDeliveryID(d.ID)
	return key{"d#" + d.Tenant + "#" + tag + "#" + shard(d.ID, 4), d.ID}
}

func ContentKey(d webhook.Delivery) key { return key{DeliveryKey(d).pk, "~" + d.ID + "#R"} }

func AttemptKey(d webhook.Delivery) key {
	return key{DeliveryKey(d).pk, "~" + d.ID + "#A#" + table.Ordinal(int64(d.Attempts))}
}

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

// shard is that of a record: see package record.
func shard(sk string, n int) string {
	h := fnv.New32a()
	h.Write([]byte(sk))
	return strconv.Itoa(int(h.Sum32() % uint32(n)))
}
