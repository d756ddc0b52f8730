package dynamostore

import (
	"context"
	"strings"

	"github.com/postino/postino/shared/webhook"
)

// examinedLimit is how many entries one page may look at to find those that
// its filter wants. A page that found too few by then is a short one.
const examinedLimit = 1000

// PageEvents lists events, without their data, of the type ("" for any; a
// trailing "*" matches a prefix), by acceptance.
func (s *Store) PageEvents(ctx context.Context, tenant, typ string, page webhook.Page) (events []webhook.StoredEvent, next string, err error) {
	list := listNamed("events", tenant, typ)
	end, err := list.end(page.Position, isEventSK)
	if err != nil {
		return nil, "", err
	}
	m := s.mergeEvents("list events", tenant, s.since(eventRange(page)).behind(end), fetchFor(page, typ != ""))
	for examined := 0; len(events) < page.Limit && examined < examinedLimit; examined++ {
		it, err := m.next(ctx)
		if err != nil {
			return nil, "", err
		}
		if it == nil {
			return events, "", nil
		}
		end = it.str("gsi1sk")
		if !typeMatches(typ, it.str("ty")) {
			continue
		}
		e, err := eventOf(tenant, it)
		if err != nil {
			return nil, "", err
		}
		events = append(events, e)
	}
	if m.more() {
		next = list.position(end)
	}
	return events, next, nil
}

// fetchFor is how many entries to fetch at first: more than the page wants if
// a filter will drop some.
func fetchFor(page webhook.Page, filtered bool) int {
	if filtered {
		return max(page.Limit, 200)
	}
	return page.Limit
}

func (s *Store) mergeEvents(op, tenant string, rng keyRange, limit int) *merge {
	pks := shardPKs(eventShards, func(shard string) string { return eventsPK(tenant, shard) })
	return s.merge(op, pks, rng, source{index: index1}, limit)
}

func typeMatches(pattern, typ string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(typ, prefix)
	}
	return pattern == "" || pattern == typ
}
