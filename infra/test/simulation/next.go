package simulation

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// NextDue returns the time of the earliest due pointer, if there is one.
func (s *Store) NextDue() (at time.Time, found bool) {
	minute := ""
	for _, partition := range s.items.Partitions("q#") { // q#minute#shard: the first minute in all its shards
		of := partition[:strings.LastIndex(partition, "#")]
		if minute != "" && of != minute {
			break
		}
		minute = of
		first, err := s.items.Page(context.Background(), table.Range{Partition: partition}, 1)
		if err != nil || len(first) == 0 {
			continue
		}
		if due := first[0].Fields.Time("t"); !found || due.Before(at) {
			at, found = due, true
		}
	}
	return at, found
}

// Waiting returns all that stands in waiting lines.
func (s *Store) Waiting() (ids []string) {
	defer s.lock()()
	for _, line := range s.lines {
		ids = append(ids, line...)
	}
	slices.Sort(ids)
	return ids
}

// Events returns all stored events, in order of acceptance and key.
func (s *Store) Events() (events []webhook.StoredEvent) {
	defer s.lock()()
	for _, e := range s.events {
		events = append(events, e)
	}
	slices.SortFunc(events, func(a, b webhook.StoredEvent) int {
		if c := a.AcceptedAt.Compare(b.AcceptedAt); c != 0 {
			return c
		}
		return strings.Compare(a.Key(), b.Key())
	})
	return events
}

// Expunge removes an event's data and every body made from it.
func (s *Store) Expunge(tenant, source, id string) {
	if s.ExpungeEvent(context.Background(), tenant, source, id) != nil {
		return
	}
	defer s.lock()()
	for at, d := range s.deliveries {
		if d.Tenant == tenant && d.EventID == id && d.EventSource == source {
			delete(s.contents, at)
		}
	}
}

// Deliveries returns all stored deliveries of a tenant, by id.
func (s *Store) Deliveries(tenant string) (deliveries []webhook.Delivery) {
	defer s.lock()()
	for at, d := range s.deliveries {
		if at[0] == tenant {
			deliveries = append(deliveries, d)
		}
	}
	slices.SortFunc(deliveries, func(a, b webhook.Delivery) int { return strings.Compare(a.ID, b.ID) })
	return deliveries
}
