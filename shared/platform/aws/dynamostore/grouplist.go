package dynamostore

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// inGroups lists the deliveries of one subscription that stand in groups alone,
// by id. A span of them is read at a time: within it, groups overlap.
type inGroups struct {
	tenant string
	ids    keyRange
	items  *merge
	ahead  item // the first group of the next span
	buffer []webhook.Delivery
}

const aboutInGroup = 10 // deliveries

func (s *Store) inGroups(tenant, tag string, ids keyRange, limit int) *inGroups {
	rng := keyRange{lo: spanOf(ids.lo), hi: spanOf(ids.hi) + "#~", desc: ids.desc}
	items := s.merge("list deliveries", []string{groupsPK(tenant, tag)}, rng, source{}, limit/aboutInGroup)
	return &inGroups{tenant: tenant, ids: ids, items: items}
}

// spanOf is the span of a delivery id or of a bound of ids, of which the least is
// no id.
func spanOf(id string) string {
	created, _, err := webhook.ParseDeliveryID(id)
	if err != nil {
		created = time.UnixMilli(0)
	}
	return spanSK(created)
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
			if it, err = g.items.next(ctx); err != nil {
				return false, err
			}
		}
		if it == nil {
			break
		}
		its, _, _ := strings.Cut(it.str("sk"), "#")
		if span != "" && its != span {
			g.ahead = it
			break
		}
		span = its
		if entries, err = g.appendWanted(entries, it); err != nil {
			return false, err
		}
	}
	return span != "", g.fill(ctx, entries)
}

// appendWanted appends the entries of a group that the list wants. Of one of which
// no more is known than its own item, the list has that.
func (g *inGroups) appendWanted(entries []entry, it item) ([]entry, error) {
	if g.items.store.dead(it) {
		return entries, nil
	}
	read, err := groupOf(it)
	for id, e := range read.entries {
		if e.Event != "" && id >= g.ids.lo && id <= g.ids.hi && id != g.ids.skip {
			entries = append(entries, e)
		}
	}
	return entries, err
}

// fill puts the entries' deliveries in order, without those that have an item of
// their own: the list has those from there.
func (g *inGroups) fill(ctx context.Context, entries []entry) error {
	var keys []key
	for _, e := range entries {
		if k, _ := deliveryKey(g.tenant, e.ID); e.Own {
			keys = append(keys, k)
		}
	}
	taken, err := g.items.store.getAll(ctx, "list deliveries", keys, false)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if k, _ := deliveryKey(g.tenant, e.ID); taken[k] == nil {
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
