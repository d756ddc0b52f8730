package simulation

import (
	"context"
	"slices"
	"strings"

	"github.com/postino/postino/shared/webhook"
)

// ExpungeEvent removes what was published with an event but its ids, type and
// times.
func (s *Store) ExpungeEvent(_ context.Context, tenant, source, id string) error {
	defer s.lock()()
	key := [2]string{tenant, webhook.EventKey(source, id)}
	e, found := s.events[key]
	if !found {
		return webhook.ErrNotFound
	}
	e.Expunged, e.Subject, e.Extensions, e.Data = true, "", nil, nil
	s.events[key] = e
	return nil
}

// ExpungeParts removes a delivery's body and what was answered to its attempts.
func (s *Store) ExpungeParts(_ context.Context, tenant, delivery string) error {
	defer s.lock()()
	key := [2]string{tenant, delivery}
	delete(s.contents, key)
	for number, a := range s.attempts[key] {
		a.Response = nil
		s.attempts[key][number] = a
	}
	return nil
}

// Occasions lists an event's deliveries that have an occasion, by id.
func (s *Store) Occasions(_ context.Context, tenant, source, id, position string, limit int) (found []webhook.Delivery, next string, err error) {
	defer s.lock()()
	for _, d := range s.deliveries {
		if d.Tenant == tenant && d.EventSource == source && d.EventID == id && d.Occasion != "" && d.ID > position {
			found = append(found, d)
		}
	}
	slices.SortFunc(found, func(a, b webhook.Delivery) int { return strings.Compare(a.ID, b.ID) })
	if len(found) > limit {
		return found[:limit], found[limit-1].ID, nil
	}
	return found, "", nil
}
