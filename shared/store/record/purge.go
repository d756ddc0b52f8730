package record

import (
	"context"
	"slices"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// PurgeSubscription removes up to limit items that a deleted life of a
// subscription left behind: trigger state and versions of epochs and numbers
// not above through, and, unless another life has begun, what is known of how
// its subscriber fared. It returns how many it removed, 0 at the end.
func (s *Store) PurgeSubscription(ctx context.Context, sub webhook.SubscriptionRef, through int64, limit int) (removed int, err error) {
	states, versions := below(ofSubscription(stateKind, sub)), below(ofSubscription(versionKind, sub))
	states.To = below(and(ofSubscription(stateKind, sub), table.Ordinal(through))).To
	versions.To = versionKey(webhook.VersionRef{Tenant: sub.Tenant, ID: sub.ID, Version: through}).Sort
	if removed, err = purge(ctx, s.table, limit, states, versions); err != nil || removed >= limit {
		return removed, err
	}
	head, err := s.table.Get(ctx, headKey(sub))
	if err != nil || len(head) > 0 {
		return removed, err
	}
	n, err := s.PurgeHealth(ctx, sub, limit-removed)
	return removed + n, err
}

// ofTenants are the kinds of what a tenant's deletion removes, after its keys; and
// those of them that a subscription's records are spread by, which are removed
// with it.
var (
	ofTenants       = []string{headKind, stateKind, versionKind, lineKind, changeKind, partKind, openKind, deliveryKind, eventKind}
	ofSubscriptions = []string{stateKind, versionKind, lineKind}
)

// PurgeTenant removes up to about limit items of a tenant that is being deleted,
// its keys first. It returns how many it removed, 0 at the end. The due pointers,
// which name no tenant in their key, do nothing when what they point to is gone.
func (s *Store) PurgeTenant(ctx context.Context, tenant string, limit int) (removed int, err error) {
	if removed, err = s.Purge(ctx, tenant, limit); removed > 0 || err != nil {
		return removed, err
	}
	kinds := ofTenants
	if s.spread {
		if removed, err = s.PurgeSubscriptions(ctx, tenant, limit); removed > 0 || err != nil {
			return removed, err
		}
		kinds = slices.DeleteFunc(slices.Clone(kinds), func(kind string) bool { return slices.Contains(ofSubscriptions, kind) })
	}
	ranges := make([]table.Range, len(kinds))
	for i, kind := range kinds {
		ranges[i] = ofTenant(kind, tenant)
	}
	err = s.recent.change(func() error {
		removed, err = purge(ctx, s.table, limit, ranges...)
		return err
	})
	return removed, err
}

// PurgeSubscriptions removes what belongs to the first of a tenant's subscriptions,
// and at last its head; and what the tenant itself has of their kinds.
func (s *Store) PurgeSubscriptions(ctx context.Context, tenant string, limit int) (removed int, err error) {
	if removed, err = s.PurgeOwned(ctx, webhook.SubscriptionRef{Tenant: tenant}, limit); removed > 0 || err != nil {
		return removed, err
	}
	heads, err := s.ListHeads(ctx, tenant, "", 1)
	if err != nil || len(heads) == 0 {
		return 0, err
	}
	sub := webhook.SubscriptionRef{Tenant: tenant, ID: heads[0].ID}
	if removed, err = s.PurgeOwned(ctx, sub, limit); removed > 0 || err != nil {
		return removed, err
	}
	return 1, s.table.DeleteAll(ctx, []table.Key{headKey(sub)}, table.ForDisk)
}

// PurgeOwned removes up to limit items of what belongs to a subscription, deleted
// or not, but its head.
func (s *Store) PurgeOwned(ctx context.Context, sub webhook.SubscriptionRef, limit int) (removed int, err error) {
	if removed, err = s.PurgeOf(ctx, sub, limit); err != nil || removed >= limit {
		return removed, err
	}
	ranges := make([]table.Range, len(ofSubscriptions))
	for i, kind := range ofSubscriptions {
		ranges[i] = below(ofSubscription(kind, sub))
	}
	n, err := purge(ctx, s.table, limit-removed, ranges...)
	return removed + n, err
}
