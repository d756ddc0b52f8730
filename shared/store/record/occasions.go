package record

import (
	"context"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

func occasionsKey(tenant, event string) table.Key {
	return and(eventKey(tenant, event), occasionsBelow)
}

// occasionKey names a delivery that has an occasion, which no plan names.
func occasionKey(tenant, event, id string) table.Key { return and(occasionsKey(tenant, event), id) }

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
