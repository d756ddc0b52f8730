package record

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// inGroups lists the deliveries of one subscription that stand in groups alone,
// by id. A span of them is read at a time: within it, groups overlap.
type inGroups struct {
	store  *Store
	tenant string
	ids    idRange
	items  *merge
	ahead  *table.Item // the first group of the next span
	buffer []webhook.Delivery
}

const aboutInGroup = 10 // deliveries

func (s *Store) groupsOf(tenant, tag string, ids idRange, limit int) *inGroups {
	its := at(groupKind, tenant, tag+separator)
	places := s.table.(spread)
	r := table.Range{Partition: its.Partition, From: its.Sort + spanAt(ids.low), To: its.Sort + spanAt(ids.high) + separator + behindAll, Desc: ids.desc, Lagging: true}
	ranges, _ := places.ranges(r) // of one tag
	return &inGroups{store: s, tenant: tenant, ids: ids, items: places.merge(ranges, limit/aboutInGroup)}
}

// spanAt is the span of a delivery id or of a bound of ids, of which the least and
// the greatest are no ids.
func spanAt(id string) string {
	created, _, err := webhook.ParseDeliveryID(id)
	switch {
	case err == nil:
		return spanOf(created)
	case id == deliveryIDEnd:
		return behindAll
	}
	return spanOf(time.UnixMilli(0))
}

func (g *inGroups) more() bool { return len(g.buffer) > 0 || g.ahead != nil || g.items.more() }

func (g *inGroups) next(ctx context.Context) (candidate, bool, error) {
	for len(g.buffer) == 0 {
		if more, err := g.readSpan(ctx); !more || err != nil {
			return candidate{}, false, err
		}
	}
	d := g.buffer[0]
	g.buffer = g.buffer[1:]
	return candidate{end: d.ID, found: &d}, true, nil
}

// readSpan reads the groups of the next span; false if there is none.
func (g *inGroups) readSpan(ctx context.Context) (more bool, err error) {
	span := ""
	var entries []entry
	for {
		it := g.ahead
		if g.ahead = nil; it == nil {
			read, more, err := g.items.next(ctx)
			if err != nil {
				return false, err
			}
			if !more {
				break
			}
			it = &read
		}
		key := strings.TrimSuffix(it.Sort, lastOf(*it))
		if span != "" && key != span {
			g.ahead = it
			break
		}
		span = key
		if entries, err = g.appendWanted(entries, *it); err != nil {
			return false, err
		}
	}
	return span != "", g.fill(ctx, entries)
}

// appendWanted appends the entries of a group that the list wants. Of one of which
// no more is known than its own item, the list has that.
func (g *inGroups) appendWanted(entries []entry, it table.Item) ([]entry, error) {
	if g.store.dead(it) {
		return entries, nil
	}
	read, err := readGroup(it)
	for id, e := range read.entries {
		if e.Event != "" && id >= g.ids.low && id <= g.ids.high && id != g.ids.skip {
			entries = append(entries, e)
		}
	}
	return entries, err
}

// fill puts the entries' deliveries in order, without those that have an item of
// their own: the list has those from there.
func (g *inGroups) fill(ctx context.Context, entries []entry) error {
	var keys []table.Key
	for _, e := range entries {
		if e.Own {
			keys = append(keys, deliveryKey(g.tenant, e.ID))
		}
	}
	taken, err := looking{store: g.store}.get(ctx, keys)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, has := taken[deliveryKey(g.tenant, e.ID)]; !has {
			g.buffer = append(g.buffer, e.delivery(g.tenant))
		}
	}
	slices.SortFunc(g.buffer, func(a, b webhook.Delivery) int { return strings.Compare(a.ID, b.ID) })
	if g.ids.desc {
		slices.Reverse(g.buffer)
	}
	return nil
}

// both are the candidates of two lists, in order of their ends.
type both struct {
	desc    bool
	sources [2]candidates
	heads   [2]*candidate
}

func (b *both) more() bool {
	return b.heads[0] != nil || b.heads[1] != nil || b.sources[0].more() || b.sources[1].more()
}

func (b *both) next(ctx context.Context) (candidate, bool, error) {
	first := -1
	for i, source := range b.sources {
		if b.heads[i] == nil && source.more() {
			if c, ok, err := source.next(ctx); err != nil {
				return candidate{}, false, err
			} else if ok {
				b.heads[i] = &c
			}
		}
		if b.heads[i] != nil && (first < 0 || (b.heads[i].end < b.heads[first].end) != b.desc) {
			first = i
		}
	}
	if first < 0 {
		return candidate{}, false, nil
	}
	c := *b.heads[first]
	b.heads[first] = nil
	return c, true, nil
}
