package simulation

import (
	"context"
	"slices"
	"strings"

	"github.com/postino/postino/shared/webhook"
)

// SaveJob stores j if the stored one still has j.Rev.
func (s *Store) SaveJob(_ context.Context, j webhook.Job) error {
	defer s.lock()()
	place := [2]string{j.Tenant, j.ID}
	if s.jobs[place].Rev != j.Rev {
		return webhook.ErrConflict
	}
	j.Rev++
	j.Decided = slices.Clone(j.Decided)
	s.jobs[place] = j
	return nil
}

// Job returns a stored job, or [webhook.ErrNotFound].
func (s *Store) Job(_ context.Context, tenant, id string) (webhook.Job, error) {
	defer s.lock()()
	j, found := s.jobs[[2]string{tenant, id}]
	if !found {
		return j, webhook.ErrNotFound
	}
	j.Decided = slices.Clone(j.Decided)
	return j, nil
}

// PageJobs lists jobs by id.
func (s *Store) PageJobs(_ context.Context, tenant string, page webhook.Page) ([]webhook.Job, string, error) {
	defer s.lock()()
	var found []webhook.Job
	for place, j := range s.jobs {
		if place[0] == tenant {
			found = append(found, j)
		}
	}
	slices.SortFunc(found, func(a, b webhook.Job) int { return strings.Compare(a.ID, b.ID) })
	return pageOf(found, page, func(j webhook.Job) string { return j.ID }, "jobs", tenant)
}

// PurgeSubscription removes up to limit items of a deleted life of a
// subscription.
func (s *Store) PurgeSubscription(_ context.Context, sub webhook.SubscriptionRef, through int64, limit int) (removed int, err error) {
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
	for t := range s.tallies {
		if removed < limit && t.sub == sub {
			delete(s.tallies, t)
			removed++
		}
	}
	delete(s.reserved, sub)
	return removed, nil
}
