package dynamostore

import (
	"context"
	"math"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/postino/postino/shared/webhook"
)

// occasionPrefix begins the sort keys of pointers to deliveries that no plan
// names, in their event's partition.
const occasionPrefix = "O#"

func occasionKey(d webhook.Delivery) key {
	return key{eventPK(d.Tenant, d.EventKey()), occasionPrefix + d.ID}
}

// putOccasion stores the pointer to a delivery that has an occasion, before the
// delivery itself: one without its delivery is passed over.
func (s *Store) putOccasion(ctx context.Context, d webhook.Delivery) error {
	if d.Rev > 0 || d.Occasion == "" {
		return nil
	}
	it := at(occasionKey(d))
	it.setStr("gsi1pk", occasionsPK(d.Tenant, shard(d.ID, eventShards)))
	it.setStr("gsi1sk", d.ID)
	it.setInt("expires", s.lifetime())
	return s.put(ctx, "put occasion", it)
}

// Occasions lists an event's deliveries that have an occasion, by id,
// consistently, from the position on; next is "" at the end. A page may be
// short, or empty.
func (s *Store) Occasions(ctx context.Context, tenant, source, id, position string, limit int) (deliveries []webhook.Delivery, next string, err error) {
	in := s.rangeQuery(eventPK(tenant, webhook.EventKey(source, id)), occasionPrefix+position+" ", occasionPrefix+"~")
	pointers, err := s.query(ctx, "occasions", in, limit)
	if err != nil {
		return nil, "", err
	}
	ids := make([]string, len(pointers))
	for i, it := range pointers {
		ids[i] = strings.TrimPrefix(it.str("sk"), occasionPrefix)
	}
	found, err := s.DeliveriesByID(ctx, tenant, ids)
	if err != nil {
		return nil, "", err
	}
	for _, id := range ids {
		if d, ok := found[id]; ok {
			deliveries = append(deliveries, d)
		}
	}
	if len(ids) == limit {
		next = ids[limit-1]
	}
	return deliveries, next, nil
}

// occasionIDs returns the ids of an event's deliveries that have an occasion.
func (s *Store) occasionIDs(ctx context.Context, tenant, event string) (ids []string, err error) {
	in := s.prefixQuery(eventPK(tenant, event), occasionPrefix)
	in.ConsistentRead = nil // half the price, for a list that lags anyway
	in.ProjectionExpression = aws.String("sk")
	pointers, err := s.query(ctx, "occasions", in, math.MaxInt32)
	for _, it := range pointers {
		ids = append(ids, strings.TrimPrefix(it.str("sk"), occasionPrefix))
	}
	return ids, err
}

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

func (s *Store) mixed(list list, tenant string, page webhook.Page) (candidates, error) {
	end, err := list.end(page.Position, func(end string) bool {
		planned, other, ok := strings.Cut(end, mixedEnd)
		_, isStop := parseStop(planned)
		return ok && (planned == "" || isStop) && (other == "" || isDeliveryID(other))
	})
	if err != nil {
		return nil, err
	}
	planned, other, _ := strings.Cut(end, mixedEnd)
	pks := shardPKs(eventShards, func(shard string) string { return occasionsPK(tenant, shard) })
	pointers := s.merge("list deliveries", pks, deliveryRange(page).behind(other), source{index: index1, keysOnly: true}, page.Limit)
	return &mixed{
		planned: &ahead{candidates: s.walk(tenant, planned, page), created: func(c candidate) string { return c.end[:len(millis(endOfTime))] }, end: planned},
		others: &ahead{candidates: pointed{pointers, tenant}, created: func(c candidate) string {
			created, _, _ := webhook.ParseDeliveryID(c.end)
			return millis(created)
		}, end: other},
	}, nil
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
}

func (p pointed) next(ctx context.Context) (candidate, bool, error) {
	it, err := p.merge.next(ctx)
	if it == nil || err != nil {
		return candidate{}, false, err
	}
	id := it.str("gsi1sk")
	k, _ := deliveryKey(p.tenant, id)
	return candidate{end: id, id: id, key: k}, true, nil
}
