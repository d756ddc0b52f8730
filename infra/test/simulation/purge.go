package simulation

import (
	"context"

	"github.com/postino/postino/shared/webhook"
)

// PurgeSubscription removes up to limit items of a deleted life of a
// subscription.
func (s *Store) PurgeSubscription(ctx context.Context, sub webhook.SubscriptionRef, through int64, limit int) (removed int, err error) {
	defer s.lock()()
	for ref := range s.states {
		if removed < limit && ref.Tenant == sub.Tenant && ref.Subscription == sub.ID && ref.Epoch <= through {
			delete(s.states, ref)
			removed++
		}
	}
	for ref := range s.versions {
		if removed < limit && ref.Tenant == sub.Tenant && ref.ID == sub.ID && ref.Version <= through {
			delete(s.versions, ref)
			removed++
		}
	}
	if s.heads[sub].Version != 0 {
		return removed, nil
	}
	n, err := s.PurgeHealth(ctx, sub, limit-removed)
	return removed + n, err
}
