package record

import (
	"context"
	"errors"
	"math"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// purgeSpread removes what a tenant has in a table that many machines have: what is
// its own, its subscriptions with all that is theirs, its events with theirs, and
// what only an index still names.
func (s *Store) purgeSpread(ctx context.Context, tenant string, limit int) (removed int, err error) {
	for _, stage := range []func(context.Context, string, int) (int, error){s.purgeOwn, s.purgeSubscriptions, s.purgeEvents, s.purgeIndexed} {
		if removed, err = stage(ctx, tenant, limit); err != nil || removed > 0 {
			return removed, err
		}
	}
	return 0, nil
}

// purgeOwn removes the change log, and the state of arrays and of keys that make
// requests repeatable.
func (s *Store) purgeOwn(ctx context.Context, tenant string, limit int) (int, error) {
	return purge(ctx, s.table, limit, ofTenant(changeKind, tenant), below(ofSubscription(stateKind, webhook.SubscriptionRef{Tenant: tenant})))
}

// purgeSubscriptions removes what belongs to the first subscription, and at
// last its head.
func (s *Store) purgeSubscriptions(ctx context.Context, tenant string, limit int) (int, error) {
	heads, err := s.ListHeads(ctx, tenant, "", 1)
	if err != nil || len(heads) == 0 {
		return 0, err
	}
	sub := webhook.SubscriptionRef{Tenant: tenant, ID: heads[0].ID}
	if n, err := s.purgeOf(ctx, sub, limit); n > 0 || err != nil {
		return n, err
	}
	return 1, s.table.DeleteAll(ctx, []table.Key{headKey(sub)}, table.ForDisk)
}

// purgeOf removes what belongs to a subscription, deleted or not, but its head.
func (s *Store) purgeOf(ctx context.Context, sub webhook.SubscriptionRef, limit int) (removed int, err error) {
	if removed, err = s.PurgeOf(ctx, sub, limit); err != nil || removed >= limit {
		return removed, err
	}
	tag := webhook.DeliveryTag(sub.Tenant, sub.ID)
	n, err := purge(ctx, s.table, limit-removed,
		below(ofSubscription(versionKind, sub)), below(ofSubscription(lineKind, sub)), below(ofSubscription(offerKind, sub)), below(ofSubscription(stateKind, sub)), below(at(groupKind, sub.Tenant, tag)))
	if removed += n; err != nil || removed >= limit {
		return removed, err
	}
	places := s.table.(spread)
	n, err = table.Purge(ctx, places.table, limit-removed, places.ofTag(sub.Tenant, tag, "", "", false)...)
	return removed + n, err
}

// purgeEvents removes events with all that hangs on them, and what belongs to the
// subscriptions that they were planned for: one that was deleted has no head any
// more.
func (s *Store) purgeEvents(ctx context.Context, tenant string, limit int) (removed int, err error) {
	place := eventPlace(tenant, "")
	of := span{index: 1, partition: place.Partition, prefix: place.Sort, high: behindAll}
	err = each(ctx, s.table, of, false, 25, func(_ string, it table.Item) error {
		e, _, err := readEvent(tenant, it)
		if err != nil {
			return err
		}
		n, err := s.purgePlanned(ctx, e, limit-removed)
		if removed += n; n == 0 && err == nil {
			n, err = purge(ctx, s.table, math.MaxInt32, table.Range{Partition: it.Partition, From: it.Sort, To: below(it.Key).To})
			removed += n
		}
		if removed >= limit {
			return errors.Join(err, errPageEnds)
		}
		return err
	})
	return removed, unlessEnded(err)
}

// purgePlanned removes what belongs to the subscriptions that an event was planned
// for.
func (s *Store) purgePlanned(ctx context.Context, e webhook.StoredEvent, limit int) (removed int, err error) {
	for page := 0; page == 0 || page < e.Plan.Pages; page++ {
		entries := e.Plan.Entries
		if e.Plan.Pages > 0 {
			if entries, err = s.PlanPage(ctx, e.Tenant, e.Key(), e.Plan.Key, page); err != nil && !errors.Is(err, webhook.ErrNotFound) {
				return removed, err
			}
		}
		for _, entry := range entries {
			n, err := s.purgeOf(ctx, webhook.SubscriptionRef{Tenant: e.Tenant, ID: entry.Subscription}, limit-removed)
			if removed += n; err != nil || removed >= limit {
				return removed, err
			}
		}
	}
	return removed, nil
}

// purgeIndexed removes deliveries whose event and subscription are gone.
func (s *Store) purgeIndexed(ctx context.Context, tenant string, limit int) (int, error) {
	for _, status := range []webhook.Status{webhook.Pending, webhook.Exhausted, webhook.Canceled} {
		found, _, err := s.PageDeliveries(ctx, tenant, webhook.DeliveryFilter{Status: status}, webhook.Page{Limit: min(limit, readAtOnce)})
		if err != nil {
			return 0, err
		}
		var keys []table.Key
		for _, d := range found {
			parts, err := s.table.Page(ctx, below(partsKey(tenant, d.ID)), attemptsLimit)
			if err != nil {
				return 0, err
			}
			for keys = append(keys, deliveryKey(tenant, d.ID)); len(parts) > 0; parts = parts[1:] {
				keys = append(keys, parts[0].Key)
			}
		}
		if len(keys) > 0 {
			return len(keys), s.table.DeleteAll(ctx, keys, table.ForDisk)
		}
	}
	return 0, nil
}
