package simulation

import (
	"context"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// SaveHealth stores h in the head if that has the version, and h.Rev.
func (s *Store) SaveHealth(_ context.Context, ref webhook.VersionRef, h webhook.Health) error {
	defer s.lock()()
	sub := webhook.SubscriptionRef{Tenant: ref.Tenant, ID: ref.ID}
	head, found := s.heads[sub]
	if !found || head.Version != ref.Version || head.Health.Rev != h.Rev {
		return webhook.ErrConflict
	}
	h.Rev++
	head.Health = h
	s.heads[sub] = head
	return nil
}

// AddTally adds t to what is counted in the window and returns the sum.
func (s *Store) AddTally(_ context.Context, sub webhook.SubscriptionRef, window time.Time, t webhook.Tally) (webhook.Tally, error) {
	defer s.lock()()
	key := tallied{sub, window.Unix()}
	sum := s.tallies[key]
	sum.Attempts, sum.Failed = sum.Attempts+t.Attempts, sum.Failed+t.Failed
	s.tallies[key] = sum
	return sum, nil
}

// Reserve takes the next stretch of a subscription's time, unless it would
// begin after latest.
func (s *Store) Reserve(_ context.Context, sub webhook.SubscriptionRef, now, latest time.Time, length time.Duration) (begin time.Time, taken bool, err error) {
	defer s.lock()()
	begin = now
	if until := s.reserved[sub]; until.After(now) {
		begin = until
	}
	if begin.After(latest) {
		return begin, false, nil
	}
	s.reserved[sub] = begin.Add(length)
	return begin, true, nil
}
