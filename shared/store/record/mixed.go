package record

import (
	"context"
	"strings"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// mixed lists a tenant's deliveries: those that a walk along the events finds,
// and those that have an occasion, by CreatedAt.
type mixed struct {
	planned *ahead
	others  *ahead
}

// ahead is a list with its next candidate looked at, and the place behind the
// last one given out.
type ahead struct {
	candidates
	created func(candidate) string // as text that sorts by time
	next    candidate
	has     bool
	end     string
}

func (a *ahead) peek(ctx context.Context) (err error) {
	if !a.has {
		a.next, a.has, err = a.candidates.next(ctx)
	}
	return err
}

func (a *ahead) take() candidate {
	a.has, a.end = false, a.next.end
	return a.next
}

func (a *ahead) more() bool { return a.has || a.candidates.more() }

// mixedEnd parts the places of both lists in a position.
const mixedEnd = "|"

func isMixed(text string) bool {
	planned, other, ok := strings.Cut(text, mixedEnd)
	return ok && (planned == "" || isStop(planned)) && (other == "" || isDeliveryID(other))
}

func (s *Store) mixed(tenant, end string, page webhook.Page) *mixed {
	planned, other, _ := strings.Cut(end, mixedEnd)
	low, high := deliveriesBetween(page)
	ids := idRange{low: low, high: high, desc: page.Desc}.behind(other)
	places, place := s.table.(spread), at(pointerKind, tenant, "")
	ranges, _ := places.ranges(table.Range{Index: 1, Partition: place.Partition, From: place.Sort + ids.low, To: place.Sort + ids.high, Desc: ids.desc}) // of one tenant
	return &mixed{
		planned: &ahead{candidates: s.walkAlong(tenant, "", planned, page), created: func(c candidate) string { return c.end[:acceptedDigits] }, end: planned},
		others: &ahead{candidates: pointed{places.merge(ranges, page.Limit), tenant, ids}, created: func(c candidate) string {
			created, _, _ := webhook.ParseDeliveryID(c.end)
			return eventPosition(created.UnixMilli(), "")
		}, end: other},
	}
}

func (m *mixed) more() bool { return m.planned.more() || m.others.more() }

func (m *mixed) next(ctx context.Context) (candidate, bool, error) {
	if err := m.planned.peek(ctx); err != nil {
		return candidate{}, false, err
	}
	if err := m.others.peek(ctx); err != nil {
		return candidate{}, false, err
	}
	from := m.planned
	if !m.planned.has || m.others.has && m.before(m.others, m.planned) {
		from = m.others
	}
	if !from.has {
		return candidate{}, false, nil
	}
	c := from.take()
	c.end = m.planned.end + mixedEnd + m.others.end
	return c, true, nil
}

// before reports whether a's next belongs before b's.
func (m *mixed) before(a, b *ahead) bool {
	at, bt := a.created(a.next), b.created(b.next)
	if m.planned.candidates.(*walk).desc {
		return at > bt
	}
	return at < bt
}

// pointed are deliveries that pointers of occasions name.
type pointed struct {
	*merge
	tenant string
	ids    idRange
}

func (p pointed) next(ctx context.Context) (candidate, bool, error) {
	it, more, err := p.merge.next(ctx)
	if !more || err != nil {
		return candidate{}, false, err
	}
	c := candidate{end: lastOf(it)}
	if c.end != p.ids.skip {
		c.id, c.key = c.end, deliveryKey(p.tenant, c.end)
	}
	return c, true, nil
}
