package dynamostore

import (
	"context"
	"strings"

	"github.com/postino/postino/shared/webhook"
)

// examinedLimit is how many entries one page may look at to find those that
// its filter wants. A page that found too few by then is a short one.
const examinedLimit = 1000

// PageEvents lists events, without their data, by acceptance.
func (s *Store) PageEvents(ctx context.Context, tenant string, filter webhook.EventFilter, page webhook.Page) (events []webhook.StoredEvent, next string, err error) {
	list := listNamed("events", tenant, filter.Type, filter.Subject)
	end, err := list.end(page.Position, isEventSK)
	if err != nil {
		return nil, "", err
	}
	m := s.eventsIn("list events", tenant, filter.Subject, s.since(eventRange(page)).behind(end), fetchFor(page, filter.Type != ""))
	for examined := 0; len(events) < page.Limit && examined < examinedLimit; examined++ {
		it, err := m.next(ctx)
		if err != nil {
			return nil, "", err
		}
		if it == nil {
			return events, "", nil
		}
		end = it.str("gsi1sk")
		if !typeMatches(filter.Type, it.str("ty")) {
			continue
		}
		e, err := eventOf(tenant, it)
		if err != nil {
			return nil, "", err
		}
		e.Data = nil
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

func typeMatches(pattern, typ string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(typ, prefix)
	}
	return pattern == "" || pattern == typ
}
