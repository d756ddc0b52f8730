package webhook

import "errors"

// Quota bounds what a tenant may have. A zero field bounds nothing.
type Quota struct {
	Subscriptions int // how many
	// Filters is how many bytes of memory its filters may take together, beyond
	// what is free for each: see [Subscription.Heavy].
	Filters int
}

// DefaultQuota keeps a tenant's subscriptions within what fan-out has in memory.
var DefaultQuota = Quota{Subscriptions: 10_000, Filters: 32 << 20}

// FreeFilter is how many bytes of memory the filters and types of one subscription
// take without counting against [Quota.Filters].
const FreeFilter = 4 << 10

// What SaveSubscription refuses.
var (
	ErrTooMany  = errors.New("the tenant has as many subscriptions as it may")
	ErrTooHeavy = errors.New("the tenant's filters take as much memory as they may")
)

// Check returns what is wrong with so many subscriptions and bytes of filters,
// after the one or the other has grown.
func (q Quota) Check(subscriptions, heavy int64, more, heavier bool) error {
	switch {
	case more && q.Subscriptions > 0 && subscriptions > int64(q.Subscriptions):
		return ErrTooMany
	case heavier && q.Filters > 0 && heavy > int64(q.Filters):
		return ErrTooHeavy
	}
	return nil
}
