package webhook

import "errors"

// Quota limits what a tenant can have. A zero field means no limit.
type Quota struct {
	Subscriptions int // maximum number
	// Filters is the maximum memory of all filters in bytes, not counting what is
	// free for each: see [Subscription.Heavy].
	Filters int
}

// DefaultQuota fits a tenant's subscriptions into the memory of fan-out.
var DefaultQuota = Quota{Subscriptions: 10_000, Filters: 32 << 20}

// FreeFilter is the memory of one subscription's filters and types, in bytes, that
// does not count against [Quota.Filters].
const FreeFilter = 4 << 10

// The refusals of SaveSubscription.
var (
	ErrTooMany  = errors.New("the tenant has the maximum number of subscriptions")
	ErrTooHeavy = errors.New("the tenant's filters use the maximum memory")
)

// Check returns the exceeded limit, if any, for a number of subscriptions and
// bytes of filters.
func (q Quota) Check(subscriptions, heavy int64, more, heavier bool) error {
	switch {
	case more && q.Subscriptions > 0 && subscriptions > int64(q.Subscriptions):
		return ErrTooMany
	case heavier && q.Filters > 0 && heavy > int64(q.Filters):
		return ErrTooHeavy
	}
	return nil
}
