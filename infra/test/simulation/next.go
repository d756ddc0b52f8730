package simulation

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// What worlds are judged by is read from the table, not by the lists that are
// judged.

// NextDue returns the time of the earliest due pointer, if there is one.
func (s *Store) NextDue() (at time.Time, found bool) {
	minute := ""
	for _, partition := range s.items.Partitions("q#") { // q#minute#shard: the first minute in all its shards
		of := partition[:strings.LastIndexByte(partition, '#')]
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

// keys returns the ends of a partition's keys, behind what they begin with. See
// package record for what stands where.
func (s *Store) keys(partition, begin string) (ends []string) {
	items, err := s.items.Page(context.Background(), table.Range{Partition: partition, From: begin, To: begin + "~"}, math.MaxInt)
	if err != nil {
		panic(err)
	}
	for _, it := range items {
		ends = append(ends, strings.TrimPrefix(it.Sort, begin))
	}
	return ends
}

// Waiting returns all that stands in waiting lines.
func (s *Store) Waiting() (ids []string) {
	for _, key := range s.keys("w", "") { // tenant#subscription#delivery
		ids = append(ids, key[strings.LastIndex(key, "#")+1:])
	}
	slices.Sort(ids)
	return ids
}

// Events returns all stored events of a tenant, in order of acceptance and key.
func (s *Store) Events(tenant string) (events []webhook.StoredEvent) {
	for _, key := range s.keys("e", tenant+"#") {
		if strings.Contains(key, "#") {
			continue // hangs on an event
		}
		e, err := s.EventOf(context.Background(), tenant, key)
		if err != nil {
			panic(err)
		}
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

// Deliveries returns all stored deliveries of a tenant, by id.
func (s *Store) Deliveries(tenant string) (deliveries []webhook.Delivery) {
	ids := s.keys("d", tenant+"#")
	found, err := s.DeliveriesByID(context.Background(), tenant, ids)
	if err != nil {
		panic(err)
	}
	for _, id := range ids {
		deliveries = append(deliveries, found[id])
	}
	return deliveries
}

// Expunge removes an event's data and every body made from it.
func (s *Store) Expunge(tenant, source, id string) {
	ctx := context.Background()
	if s.ExpungeEvent(ctx, tenant, source, id) != nil {
		return
	}
	for _, d := range s.Deliveries(tenant) {
		if d.EventID == id && d.EventSource == source && s.ExpungeParts(ctx, tenant, d.ID) != nil {
			panic("a body is left")
		}
	}
}
