package record

import (
	"context"

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
	if removed += n; err != nil || removed >= limit {
		return removed, err
	}
	n, err = purge(ctx, s.table, limit-removed, below(ofSubscription(offerKind, sub)))
	return removed + n, err
}

// ofTenants are the kinds of what a tenant's deletion removes, after its keys.
var ofTenants = []string{headKind, stateKind, versionKind, lineKind, offerKind, changeKind, partKind, openKind, deliveryKind, eventKind}

// PurgeTenant removes up to about limit items of a tenant that is being deleted,
// its keys first. It returns how many it removed, 0 at the end. The due pointers,
// which name no tenant in their key, do nothing when what they point to is gone.
func (s *Store) PurgeTenant(ctx context.Context, tenant string, limit int) (removed int, err error) {
	if removed, err = s.Purge(ctx, tenant, limit); removed > 0 || err != nil {
		return removed, err
	}
	if s.spread {
		return s.purgeSpread(ctx, tenant, limit)
	}
	ranges := make([]table.Range, len(ofTenants))
	for i, kind := range ofTenants {
		ranges[i] = ofTenant(kind, tenant)
	}
	err = s.recent.change(func() error {
		removed, err = purge(ctx, s.table, limit, ranges...)
		return err
	})
	return removed, err
}
