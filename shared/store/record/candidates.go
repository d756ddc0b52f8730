package record

import (
	"context"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// fewest is how many candidates are read at once at least: some will not be
// wanted, and those that a full page leaves over are read once more.
const fewest = 25

// readAtOnce is how many are read at once at most, and examinedLimit how many one
// page may look at to find those that its filter wants. A page that found too few by
// then is a short one.
const (
	readAtOnce    = 100
	examinedLimit = 1000
)

// candidate is a delivery that may belong to a page.
type candidate struct {
	end   string            // the position right behind it
	id    string            // of what is to be read; "" if there is nothing to, and end alone may matter
	key   table.Key         // where that stands if no group knows of it; zero if one may
	found *webhook.Delivery // nil if there is none
}

// candidates is a list of deliveries in order, not yet filtered.
type candidates interface {
	// next returns the next one, false at the end. The work it does is bounded.
	next(ctx context.Context) (candidate, bool, error)
	// more reports whether next may have one; false after it had none.
	more() bool
}

// pageSpread is PageDeliveries where many machines have the table. A delivery that
// was never attempted nor parked may be absent. A list that names neither
// a subscription nor a status other than succeeded follows what was planned
// for each event, and the pointers to what was not.
func (s *Store) pageSpread(ctx context.Context, tenant string, filter webhook.DeliveryFilter, page webhook.Page) (deliveries []webhook.Delivery, next string, err error) {
	list := newList[webhook.Delivery](page, nil, "deliveries", tenant, filter.Subscription, string(filter.Status), filter.Subject)
	from, err := s.candidates(list, tenant, filter)
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
	var keys []table.Key
	for len(batch) < min(n, readAtOnce) {
		c, ok, err := from.next(ctx)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		batch = append(batch, c)
		if c.key != (table.Key{}) {
			keys = append(keys, c.key)
		} else if c.id != "" {
			ids = append(ids, c.id)
		}
	}
	l := looking{store: s, tenant: tenant, found: map[string]webhook.Delivery{}}
	own, err := l.inGroups(ctx, ids)
	if err == nil {
		err = l.inItems(ctx, append(keys, own...))
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
func (s *Store) candidates(list *list[webhook.Delivery], tenant string, filter webhook.DeliveryFilter) (candidates, error) {
	page := list.asked
	if filter.Subject != "" {
		list.valid = isStop
		end, err := list.end()
		return s.walkAlong(tenant, filter.Subject, end, page), err
	}
	indexed := filter.Status != "" && filter.Status != webhook.Succeeded
	if filter.Subscription == "" && !indexed {
		list.valid = isMixed
		end, err := list.end()
		return s.mixed(tenant, end, page), err
	}
	list.valid = isDeliveryID
	end, err := list.end()
	low, high := deliveriesBetween(page)
	ids, places := idRange{low: low, high: high, desc: page.Desc}.behind(end), s.table.(spread)
	switch {
	case err != nil:
		return nil, err
	case !indexed:
		limit, tag := fetchFor(page, filter.Status != ""), webhook.DeliveryTag(tenant, filter.Subscription)
		items := places.merge(places.ofTag(tenant, tag, ids.low, ids.high, page.Desc), limit)
		return &both{
			desc:    page.Desc,
			sources: [2]candidates{itemsOf{s, tenant, items, ids}, s.groupsOf(tenant, tag, ids, limit)},
		}, nil
	case filter.Subscription != "":
		return s.openOnes(2, openOfPlace(tenant, filter.Subscription, filter.Status, ""), ids, page.Limit)
	}
	return s.openOnes(1, openPlace(tenant, filter.Status, ""), ids, page.Limit)
}

// openOnes are the deliveries of an index, whose keys begin with a place.
func (s *Store) openOnes(index int, place table.Key, ids idRange, limit int) (candidates, error) {
	places := s.table.(spread)
	ranges, err := places.ranges(table.Range{Index: index, Partition: place.Partition, From: place.Sort + ids.low, To: place.Sort + ids.high, Desc: ids.desc})
	return indexed{places.merge(ranges, limit), index, ids}, err
}

// fetchFor is how many entries to fetch at first: more than the page wants if
// a filter will drop some.
func fetchFor(page webhook.Page, filtered bool) int {
	if filtered {
		return max(page.Limit, 200)
	}
	return page.Limit
}
