package dynamostore

import (
	"context"
	"errors"

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
	it, err := found(s.alive(s.get(ctx, "delivery", k)))
	if err != nil {
		return webhook.Delivery{}, err
	}
	return deliveryOf(tenant, it)
}

// DeliveriesByID returns those that are stored, by id, consistently; others
// are absent.
func (s *Store) DeliveriesByID(ctx context.Context, tenant string, ids []string) (map[string]webhook.Delivery, error) {
	var keys []key
	for _, id := range ids {
		if k, ok := deliveryKey(tenant, id); ok {
			keys = append(keys, k)
		}
	}
	items, err := s.getAll(ctx, "deliveries", keys, true)
	if err != nil {
		return nil, err
	}
	stored := make(map[string]webhook.Delivery, len(items))
	for k, it := range items {
		if s.dead(it) {
			continue
		}
		if stored[k.sk], err = deliveryOf(tenant, it); err != nil {
			return nil, err
		}
	}
	return stored, nil
}

// SaveDelivery stores d if the stored one still has d.Rev (0: if none is
// stored), with d.Rev+1; otherwise [webhook.ErrConflict]. What comes with it
// is stored before it, so that no stored delivery lacks its parts.
func (s *Store) SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) error {
	k, ok := deliveryKey(d.Tenant, d.ID)
	if _, tag, _ := webhook.ParseDeliveryID(d.ID); !ok || d.Rev == 0 && tag != webhook.DeliveryTag(d.Tenant, d.Subscription) {
		return errForeignID
	}
	if err := s.putParts(ctx, k, with); err != nil {
		return err
	}
	if err := s.putOccasion(ctx, d); err != nil {
		return err
	}
	if err := s.prolong(ctx, k, d); err != nil {
		return err
	}
	it, err := s.deliveryItem(k, d)
	if err != nil {
		return err
	}
	return s.putRevision(ctx, "save delivery", it, d.Rev)
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
