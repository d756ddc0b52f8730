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
	end   string            // the position right behind it
	id    string            // of what is to be read; "" if there is nothing to, and end alone may matter
	key   key               // where that stands if no group knows of it; zero if one may
	found *webhook.Delivery // nil if there is none
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
		batch, err := s.nextCandidates(ctx, tenant, from, max(page.Limit-len(deliveries), fewest))
		if err != nil {
			return nil, "", err
		}
		examined += len(batch)
		used := 0
		for ; used < len(batch) && len(deliveries) < page.Limit; used++ {
			if batch[used].matches(filter) {
				deliveries = append(deliveries, *batch[used].found)
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

// matches reports whether the candidate is stored and what the filter wants: an
// index may not know yet that it is not in that status, and two subscriptions may
// have one tag.
func (c candidate) matches(filter webhook.DeliveryFilter) bool {
	return c.found != nil && (filter.Status == "" || c.found.Status == filter.Status) &&
		(filter.Subscription == "" || c.found.Subscription == filter.Subscription)
}

// nextCandidates takes up to n candidates, and reads those that must be.
func (s *Store) nextCandidates(ctx context.Context, tenant string, from candidates, n int) ([]candidate, error) {
	var batch []candidate
	var ids []string
	var keys []key
	for len(batch) < min(n, getAtOnce) {
		c, ok, err := from.next(ctx)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		batch = append(batch, c)
		if c.key != (key{}) {
			keys = append(keys, c.key)
		} else if c.id != "" {
			ids = append(ids, c.id)
		}
	}
	l := looking{store: s, tenant: tenant, found: map[string]webhook.Delivery{}}
	own, err := l.inGroups(ctx, "list deliveries", ids)
	if err == nil {
		err = l.inItems(ctx, "list deliveries", append(keys, own...))
	}
	for i, c := range batch {
		if d, ok := l.found[c.id]; ok {
			batch[i].found = &d
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
		limit := fetchFor(page, filter.Status != "")
		return &both{
			desc:    page.Desc,
			sources: [2]candidates{whole{s.merge("list deliveries", pks, rng, source{}, limit), tenant}, s.inGroups(tenant, tag, rng, limit)},
		}, nil
	case filter.Subscription != "":
		pks := shardPKs(deliveryShards, func(shard string) string { return openOfPK(tenant, tag, filter.Status, shard) })
		return named{s.merge("list deliveries", pks, rng, source{index: index2, keysOnly: true}, page.Limit)}, nil
	}
	pks := shardPKs(eventShards, func(shard string) string { return openPK(tenant, filter.Status, shard) })
	return named{s.merge("list deliveries", pks, rng, source{index: index1, keysOnly: true}, page.Limit)}, nil
}

// whole are deliveries as the table lists them.
type whole struct {
	*merge
	tenant string
}

func (w whole) next(ctx context.Context) (candidate, bool, error) {
	it, err := w.merge.next(ctx)
	if it == nil || err != nil {
		return candidate{}, false, err
	}
	c := candidate{end: it.str("sk")}
	if w.store.dead(it) {
		return c, true, nil
	}
	d, err := deliveryOf(w.tenant, it)
	c.found = &d
	return c, true, err
}

// named are deliveries as an index names them.
type named struct{ *merge }

func (n named) next(ctx context.Context) (candidate, bool, error) {
	it, err := n.merge.next(ctx)
	return candidate{end: it.str("sk"), id: it.str("sk"), key: it.key()}, it != nil, err
}
