package dynamostore

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/webhook"
)

var errForeignID = errors.New("dynamostore: save delivery: the id is not of this tenant and subscription")

// Delivery returns a stored delivery, consistently, or [webhook.ErrNotFound].
func (s *Store) Delivery(ctx context.Context, tenant, id string) (webhook.Delivery, error) {
	k, ok := deliveryKey(tenant, id)
	if !ok {
		return webhook.Delivery{}, webhook.ErrNotFound
	}
	it, err := s.alive(s.get(ctx, "delivery", k))
	if err != nil {
		return webhook.Delivery{}, err
	}
	its, grouped := groupKey(tenant, id)
	if it != nil || !grouped {
		it, err = found(it, nil)
		if err != nil {
			return webhook.Delivery{}, err
		}
		return deliveryOf(tenant, it)
	}
	g, err := s.group(ctx, its)
	if err != nil {
		return webhook.Delivery{}, err
	}
	if e := g.entries[id]; e.Event != "" {
		return e.delivery(tenant), nil
	}
	return webhook.Delivery{}, webhook.ErrNotFound
}

// DeliveriesByID returns those that are stored, by id, consistently; others
// are absent.
func (s *Store) DeliveriesByID(ctx context.Context, tenant string, ids []string) (map[string]webhook.Delivery, error) {
	return s.deliveries(ctx, "deliveries", tenant, ids, true)
}

// deliveries reads deliveries by id: first the groups, and the items of those
// that have none; then the items of those of which their group says so.
func (s *Store) deliveries(ctx context.Context, op, tenant string, ids []string, consistent bool) (map[string]webhook.Delivery, error) {
	l := looking{store: s, tenant: tenant, consistent: consistent, found: map[string]webhook.Delivery{}}
	own, err := l.inGroups(ctx, op, ids)
	if err != nil {
		return nil, err
	}
	return l.found, l.inItems(ctx, op, own)
}

// looking is a search for deliveries by id.
type looking struct {
	store      *Store
	tenant     string
	consistent bool
	found      map[string]webhook.Delivery
}

// inGroups finds what groups know, and returns the keys of the items that may
// know more. A group that has no entry for a delivery knows that it has no item,
// unless the group may have expired while the delivery waited.
func (l looking) inGroups(ctx context.Context, op string, ids []string) (own []key, err error) {
	groups := map[string]key{}
	for _, id := range ids {
		k, ok := deliveryKey(l.tenant, id)
		its, grouped := groupKey(l.tenant, id)
		if grouped {
			groups[id] = its
		}
		if ok && (!grouped || l.store.outlivesGroup(id)) {
			own = append(own, k)
		}
	}
	items, err := l.store.getAll(ctx, op, slices.Collect(maps.Values(groups)), l.consistent)
	if err != nil {
		return nil, err
	}
	read := map[key]group{}
	for k, it := range items {
		if !l.store.dead(it) {
			if read[k], err = groupOf(it); err != nil {
				return nil, err
			}
		}
	}
	for id, its := range groups {
		e := read[its].entries[id]
		if e.Event != "" {
			l.found[id] = e.delivery(l.tenant)
		}
		if k, _ := deliveryKey(l.tenant, id); e.Own {
			own = append(own, k)
		}
	}
	return own, nil
}

// inItems finds what stands in items of its own, which say more than groups.
func (l looking) inItems(ctx context.Context, op string, keys []key) error {
	items, err := l.store.getAll(ctx, op, keys, l.consistent)
	if err != nil {
		return err
	}
	for k, it := range items {
		if l.store.dead(it) {
			continue
		}
		if l.found[k.sk], err = deliveryOf(l.tenant, it); err != nil {
			return err
		}
	}
	return nil
}

// outlivesGroup reports whether a delivery may be there though its group has
// expired. Within a day of that we do not ask whose clock is right.
func (s *Store) outlivesGroup(id string) bool {
	created, _, _ := webhook.ParseDeliveryID(id)
	return !s.Now().Before(created.Add(s.Retention - 24*time.Hour))
}

// SaveDelivery stores d if the stored one still has d.Rev (0: if none is
// stored), with d.Rev+1; otherwise [webhook.ErrConflict]. What comes with it
// is stored before it, so that no stored delivery lacks its parts.
func (s *Store) SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) error {
	if _, ok := deliveryKey(d.Tenant, d.ID); !ok || d.Rev == 0 && foreign(d) {
		return errForeignID
	}
	if its, decides := decidedBy(d); decides {
		errs := make([]error, 1)
		s.saveGroup(ctx, its, []webhook.Save{{Delivery: d, With: with}}, []int{0}, errs)
		return errs[0]
	}
	return s.saveOwn(ctx, d, with)
}

// foreign reports whether a delivery's id is not of its tenant and subscription.
func foreign(d webhook.Delivery) bool {
	_, tag, err := webhook.ParseDeliveryID(d.ID)
	return err != nil || tag != webhook.DeliveryTag(d.Tenant, d.Subscription)
}

// putRevision stores an item over the one of that revision, 0 for none.
func (s *Store) putRevision(ctx context.Context, op string, it item, rev int64) error {
	mark := mark()
	it["k"] = mark
	in := &dynamodb.PutItemInput{
		TableName: &s.table, Item: it,
		ConditionExpression: absentOrDead, ExpressionAttributeValues: s.nowValue(), ReturnValuesOnConditionCheckFailure: allOld,
	}
	if rev > 0 {
		in.ConditionExpression = aws.String("rv = :r")
		in.ExpressionAttributeValues = map[string]types.AttributeValue{":r": number(rev)}
	}
	_, err := s.client.PutItem(ctx, in)
	if err == nil {
		return nil
	}
	switch stored, refused := unmet(err); {
	case !refused:
		return fault(op, err)
	case stored.marked(mark):
		return nil
	}
	return webhook.ErrConflict
}
