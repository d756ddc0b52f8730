package record

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// lookFor reads deliveries by id: first the groups, and the items of those
// that have none; then the items of those of which their group says so.
func (s *Store) lookFor(ctx context.Context, tenant string, ids []string, consistent bool) (map[string]webhook.Delivery, error) {
	l := looking{store: s, tenant: tenant, consistent: consistent, found: map[string]webhook.Delivery{}}
	own, err := l.inGroups(ctx, ids)
	if err != nil {
		return nil, err
	}
	return l.found, l.inItems(ctx, own)
}

// looking is a search for deliveries by id.
type looking struct {
	store      *Store
	tenant     string
	consistent bool
	found      map[string]webhook.Delivery
}

// get reads each key once.
func (l looking) get(ctx context.Context, keys []table.Key) (map[table.Key]table.Item, error) {
	slices.SortFunc(keys, func(a, b table.Key) int { return cmp.Compare(a.Sort, b.Sort) })
	if keys = slices.Compact(keys); len(keys) == 0 {
		return nil, nil
	}
	if l.consistent {
		return l.store.table.Get(ctx, keys...)
	}
	return table.GetLagging(ctx, l.store.table, keys...)
}

// inGroups finds what groups know, and returns the keys of the items that may
// know more. A group that has no entry for a delivery knows that it has no item,
// unless the group may have expired while the delivery waited.
func (l looking) inGroups(ctx context.Context, ids []string) (own []table.Key, err error) {
	groups := map[string]table.Key{}
	for _, id := range ids {
		its, grouped := groupKey(l.tenant, id)
		if grouped {
			groups[id] = its
		}
		if isDeliveryID(id) && (!grouped || l.store.outlivesGroup(id)) {
			own = append(own, deliveryKey(l.tenant, id))
		}
	}
	items, err := l.get(ctx, slices.Collect(maps.Values(groups)))
	if err != nil {
		return nil, err
	}
	read := map[table.Key]group{}
	for k, it := range items {
		if !l.store.dead(it) {
			if read[k], err = readGroup(it); err != nil {
				return nil, err
			}
		}
	}
	for id, its := range groups {
		e := read[its].entries[id]
		if e.Event != "" {
			l.found[id] = e.delivery(l.tenant)
		}
		if e.Own {
			own = append(own, deliveryKey(l.tenant, id))
		}
	}
	return own, nil
}

// inItems finds what stands in items of its own, which say more than groups.
func (l looking) inItems(ctx context.Context, keys []table.Key) error {
	items, err := l.get(ctx, keys)
	if err != nil {
		return err
	}
	for _, it := range items {
		if l.store.dead(it) {
			continue
		}
		id := lastOf(it)
		if l.found[id], err = readDelivery(l.tenant, id, it); err != nil {
			return err
		}
	}
	return nil
}

// outlivesGroup reports whether a delivery may be there though its group has
// expired. Within a day of that we do not ask whose clock is right.
func (s *Store) outlivesGroup(id string) bool {
	created, _, _ := webhook.ParseDeliveryID(id)
	return !s.Now().Before(created.Add(s.Retention - 24*time.Hour))
}
