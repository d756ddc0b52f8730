package simulation

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// AddStats adds each count to what is stored under its name.
func (s *Store) AddStats(_ context.Context, st webhook.Stats) error {
	defer s.lock()()
	key := tallied{webhook.SubscriptionRef{Tenant: st.Tenant, ID: st.Subscription}, st.Hour.Unix()}
	if s.stats[key] == nil {
		s.stats[key] = map[string]int64{}
	}
	for name, n := range st.Counts {
		s.stats[key][name] += n
	}
	return nil
}

// Stats lists what was counted from one time, included, to another, by hour.
func (s *Store) Stats(_ context.Context, sub webhook.SubscriptionRef, from, before time.Time) (hours []webhook.Stats, err error) {
	defer s.lock()()
	for key, counts := range s.stats {
		if hour := time.Unix(key.window, 0).UTC(); key.sub == sub && !hour.Before(from) && hour.Before(before) {
			hours = append(hours, webhook.Stats{Tenant: sub.Tenant, Subscription: sub.ID, Hour: hour, Counts: maps.Clone(counts)})
		}
	}
	slices.SortFunc(hours, func(a, b webhook.Stats) int { return a.Hour.Compare(b.Hour) })
	return hours, nil
}
