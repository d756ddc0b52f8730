package simulation

import (
	"context"

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
