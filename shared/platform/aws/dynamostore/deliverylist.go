package dynamostore

import (
	"context"

	"github.com/postino/postino/shared/webhook"
)

// fewest is how many candidates are read at once at least: some will not be
// wanted, and those that a full page leaves over are read once more.
const fewest = 25

// candidate is a delivery that may belong to a page.
type candidate struct {
	end  string // the position right behind it
	key  key    // zero if there is nothing to look at, and end alone matters
	item item   // nil if it must be read by its key
}

// candidates is a list of deliveries in order, not yet filtered.
type candidates interface {
	// next returns the next one, false at the end. The work it does is bounded.
	next(ctx context.Context) (candidate, bool, error)
	// more reports whether next may have one; false after it had none.
	more() bool
}

// PageDeliveries lists stored deliveries by their CreatedAt. One
// that was never attempted nor parked may be absent. A list that names neither
// a subscription nor a status other than succeeded follows what was planned
// for each event, and the pointers to what was not.
func (s *Store) PageDeliveries(ctx context.Context, tenant string, filter webhook.DeliveryFilter, page webhook.Page) (deliveries []webhook.Delivery, next string, err error) {
	list := listNamed("deliveries", tenant, filter.Subscription, string(filter.Status), filter.Subject)
	from, err := s.candidates(list, tenant, filter, page)
	if err != nil {
		return nil, "", err
	}
	end, more := "", true
	for examined := 0; more && len(deliveries) < page.Limit && examined < examinedLimit; {
		batch, err := s.nextCandidates(ctx, from, max(page.Limit-len(deliveries), fewest))
		if err != nil {
			return nil, "", err
		}
		examined += len(batch)
		used := 0
		for ; used < len(batch) && len(deliveries) < page.Limit; used++ {
			if deliveries, err = s.appendMatch(deliveries, tenant, filter, batch[used]); err != nil {
				return nil, "", err
			}
			end = batch[used].end
		}
		more = used < len(batch) || from.more()
	}
	if more {
		next = list.position(end)
	}
	return deliveries, next, nil
}

// appendMatch appends the candidate if it is stored, has not expired, and is
// what the filter wants: an index may not know yet that it is not in that
// status, and two subscriptions may have one tag.
func (s *Store) appendMatch(deliveries []webhook.Delivery, tenant string, filter webhook.DeliveryFilter, c candidate) ([]webhook.Delivery, error) {
	if c.item == nil || s.dead(c.item) || filter.Status != "" && c.item.str("st") != string(filter.Status) ||
		filter.Subscription != "" && c.item.str("s") != filter.Subscription {
		return deliveries, nil
	}
	d, err := deliveryOf(tenant, c.item)
	return append(deliveries, d), err
}

// nextCandidates takes up to n candidates, and reads those that have no item.
func (s *Store) nextCandidates(ctx context.Context, from candidates, n int) ([]candidate, error) {
	var batch []candidate
	var missing []key
	for len(batch) < min(n, getAtOnce) {
		c, ok, err := from.next(ctx)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		batch = append(batch, c)
		if c.item == nil && c.key != (key{}) {
			missing = append(missing, c.key)
		}
	}
	items, err := s.getAll(ctx, "list deliveries", missing, false)
	for i, c := range batch {
		if c.item == nil {
			batch[i].item = items[c.key]
		}
	}
	return batch, err
}

// candidates chooses where to read: by status an index; by subscription its
// partitions; by subject along its events; all else along the events and what was planned for each.
func (s *Store) candidates(list list, tenant string, filter webhook.DeliveryFilter, page webhook.Page) (candidates, error) {
	if filter.Subject != "" {
		end, err := list.end(page.Position, func(end string) bool { _, ok := parseStop(end); return ok })
		if err != nil {
			return nil, err
		}
		return s.walkSubject(tenant, filter.Subject, end, page), nil
	}
	indexed := filter.Status != "" && filter.Status != webhook.Succeeded
	if filter.Subscription == "" && !indexed {
		return s.mixed(list, tenant, page)
	}
	end, err := list.end(page.Position, isDeliveryID)
	if err != nil {
		return nil, err
	}
	rng, tag := deliveryRange(page).behind(end), webhook.DeliveryTag(tenant, filter.Subscription)
	switch {
	case !indexed:
		pks := shardPKs(deliveryShards, func(shard string) string { return deliveriesPK(tenant, tag, shard) })
		return whole{s.merge("list deliveries", pks, rng, source{}, fetchFor(page, filter.Status != ""))}, nil
	case filter.Subscription != "":
		pks := shardPKs(deliveryShards, func(shard string) string { return openOfPK(tenant, tag, filter.Status, shard) })
		return named{s.merge("list deliveries", pks, rng, source{index: index2, keysOnly: true}, page.Limit)}, nil
	}
	pks := shardPKs(eventShards, func(shard string) string { return openPK(tenant, filter.Status, shard) })
	return named{s.merge("list deliveries", pks, rng, source{index: index1, keysOnly: true}, page.Limit)}, nil
}

// whole are deliveries as the table lists them.
type whole struct{ *merge }

func (w whole) next(ctx context.Context) (candidate, bool, error) {
	it, err := w.merge.next(ctx)
	return candidate{end: it.str("sk"), key: it.key(), item: it}, it != nil, err
}

// named are deliveries as an index names them.
type named struct{ *merge }

func (n named) next(ctx context.Context) (candidate, bool, error) {
	it, err := n.merge.next(ctx)
	return candidate{end: it.str("sk"), key: it.key()}, it != nil, err
}
