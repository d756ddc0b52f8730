package manage

import (
	"context"
	"fmt"

	"github.com/postino/postino/shared/webhook"
)

// closeBreaker reports whether the subscription's breaker is open: what waits
// for it is to be sent once a new version begins afresh. If its owner wants it
// active, changed or not, the breaker closes at once.
func (h *Handler) closeBreaker(ctx context.Context, now webhook.Subscription, wanted bool) (open bool, err error) {
	heads, err := h.Store.Heads(ctx, []webhook.SubscriptionRef{{Tenant: now.Tenant, ID: now.ID}})
	if err != nil {
		return false, fmt.Errorf("read subscription %s: %w", now.ID, err)
	}
	health := heads[0].Health
	if !health.Breaker.Open() || heads[0].Version != now.Version {
		return false, nil
	}
	if !wanted {
		return true, nil
	}
	health.Breaker = webhook.Breaker{}
	err = h.Store.SaveHealth(ctx, webhook.VersionRef{Tenant: now.Tenant, ID: now.ID, Version: now.Version}, health)
	return true, err
}
