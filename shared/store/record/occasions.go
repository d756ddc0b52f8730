package record

import (
	"context"
	"math"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

func occasionsKey(tenant, event string) table.Key {
	return and(eventKey(tenant, event), occasionsBelow)
}

// occasionKey names a delivery that has an occasion, which no plan names.
func occasionKey(tenant, event, id string) table.Key { return and(occasionsKey(tenant, event), id) }

// pointer is the item that names a delivery that has an occasion, where many machines
// have the table: a list of all deliveries follows events, and what no plan names is in
// index 1. It is stored before the delivery: one without its delivery is passed over.
func (s *Store) pointer(d webhook.Delivery) table.Item {
	it := table.Item{Key: occasionKey(d.Tenant, d.EventKey(), d.ID), Expires: s.lifetime()}
	it.Index[0] = at(pointerKind, d.Tenant, d.ID)
	return it
}

// occasionIDs returns the ids of an event's deliveries that have an occasion.
func (s *Store) occasionIDs(ctx context.Context, tenant, event string) (ids []string, err error) {
	r := below(occasionsKey(tenant, event))
	r.Lagging = true
	items, err := s.table.Page(ctx, r, math.MaxInt32)
	for _, it := range items {
		ids = append(ids, lastOf(it))
	}
	return ids, err
}

// Occasions lists an event's deliveries that have an occasion, by id, from the
// position on; next is "" at the end.
func (s *Store) Occasions(ctx context.Context, tenant, source, id, position string, limit int) (deliveries []webhook.Delivery, next string, err error) {
	r := below(occasionsKey(tenant, webhook.EventKey(source, id)))
	begin := len(r.From)
	if position != "" {
		r.From += position + "\x00"
	}
	items, err := s.table.Page(ctx, r, limit+1)
	if err != nil {
		return nil, "", err
	}
	if len(items) > limit {
		items = items[:limit]
		next = items[limit-1].Sort[begin:]
	}
	deliveries, err = s.named(ctx, tenant, items)
	return deliveries, next, err
}

// named returns the deliveries that items name by the ends of their keys; those
// that are gone are passed over.
func (s *Store) named(ctx context.Context, tenant string, items []table.Item) (deliveries []webhook.Delivery, err error) {
	ids := make([]string, len(items))
	for i, it := range items {
		ids[i] = lastOf(it)
	}
	found, err := s.DeliveriesByID(ctx, tenant, ids)
	for _, id := range ids {
		if d, there := found[id]; there {
			deliveries = append(deliveries, d)
		}
	}
	return deliveries, err
}
