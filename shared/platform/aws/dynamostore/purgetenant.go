package dynamostore

import (
	"context"
	"errors"
	"math"

	"github.com/postino/postino/shared/webhook"
)

// PurgeTenant removes up to about limit items of a tenant that is being
// deleted, its keys first: what it registered, its subscriptions with all that
// is theirs, its events with theirs, and what only an index still names. It
// returns how many it removed, 0 at the end.
func (s *Store) PurgeTenant(ctx context.Context, tenant string, limit int) (removed int, err error) {
	for _, stage := range []func(context.Context, string, int) (int, error){
		s.Purge, s.purgeSubscriptions, s.purgeEvents, s.purgeIndexed, s.Store.PurgeTenant,
	} {
		if removed, err = stage(ctx, tenant, limit); err != nil || removed > 0 {
			return removed, err
		}
	}
	return 0, nil
}

// purgeSubscriptions removes what belongs to the first subscription, and at
// last its head.
func (s *Store) purgeSubscriptions(ctx context.Context, tenant string, limit int) (int, error) {
	heads, err := s.ListHeads(ctx, tenant, "", 1)
	if err != nil || len(heads) == 0 {
		return 0, err
	}
	if n, err := s.purgeOf(ctx, tenant, heads[0].ID, limit); n > 0 || err != nil {
		return n, err
	}
	return s.PurgeSubscriptions(ctx, tenant, limit)
}

// purgeOf removes what belongs to a subscription, deleted or not, but its head.
func (s *Store) purgeOf(ctx context.Context, tenant, id string, limit int) (removed int, err error) {
	sub, tag := webhook.SubscriptionRef{Tenant: tenant, ID: id}, webhook.DeliveryTag(tenant, id)
	if removed, err = s.PurgeOwned(ctx, sub, limit); err != nil || removed >= limit {
		return removed, err
	}
	pks := []string{groupsPK(tenant, tag)}
	pks = append(pks, shardPKs(deliveryShards, func(shard string) string { return deliveriesPK(tenant, tag, shard) })...)
	for _, pk := range pks {
		n, err := s.purge(ctx, s.rangeQuery(pk, "!", "~~"), limit-removed)
		if removed += n; err != nil || removed >= limit {
			return removed, err
		}
	}
	return removed, nil
}

// purgeEvents removes events with all that stands in their partitions, and what
// belongs to the subscriptions that they were planned for: one that was deleted
// has no head any more.
func (s *Store) purgeEvents(ctx context.Context, tenant string, limit int) (removed int, err error) {
	for page := (webhook.Page{Limit: 25}); ; {
		events, next, err := s.PageEvents(ctx, tenant, webhook.EventFilter{}, page)
		if err != nil {
			return 0, err
		}
		if removed, err = s.purgePlanned(ctx, tenant, events, limit); err != nil || removed > 0 {
			return removed, err
		}
		for _, e := range events {
			n, err := s.purge(ctx, s.rangeQuery(eventPK(tenant, e.Key()), "!", "~"), math.MaxInt32)
			if removed += n; err != nil {
				return removed, err
			}
		}
		if page.Position = next; removed > 0 || next == "" { // else the list lags: all of these were gone
			return removed, nil
		}
	}
}

// purgePlanned removes what belongs to the subscriptions that events were
// planned for.
func (s *Store) purgePlanned(ctx context.Context, tenant string, events []webhook.StoredEvent, limit int) (removed int, err error) {
	seen := map[string]bool{}
	for _, e := range events {
		for page := 0; page == 0 || page < e.Plan.Pages; page++ {
			entries := e.Plan.Entries
			if e.Plan.Pages > 0 {
				if entries, err = s.PlanPage(ctx, tenant, e.Key(), e.Plan.Key, page); err != nil && !errors.Is(err, webhook.ErrNotFound) {
					return removed, err
				}
			}
			for _, entry := range entries {
				if seen[entry.Subscription] {
					continue
				}
				seen[entry.Subscription] = true
				n, err := s.purgeOf(ctx, tenant, entry.Subscription, limit-removed)
				if removed += n; err != nil || removed >= limit {
					return removed, err
				}
			}
		}
	}
	return removed, nil
}

// purgeIndexed removes deliveries whose event and subscription are gone.
func (s *Store) purgeIndexed(ctx context.Context, tenant string, limit int) (int, error) {
	for _, status := range []webhook.Status{webhook.Pending, webhook.Exhausted, webhook.Canceled} {
		found, _, err := s.PageDeliveries(ctx, tenant, webhook.DeliveryFilter{Status: status}, webhook.Page{Limit: min(limit, getAtOnce)})
		if err != nil {
			return 0, err
		}
		var keys []key
		for _, d := range found {
			k, _ := deliveryKey(tenant, d.ID)
			parts, err := s.partKeys(ctx, k)
			if err != nil {
				return 0, err
			}
			keys = append(append(keys, k), parts...)
		}
		if len(keys) > 0 {
			return len(keys), s.deleteAll(ctx, "purge", keys)
		}
	}
	return 0, nil
}
