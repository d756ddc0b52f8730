package dynamostore

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/webhook"
)

// ExpungeEvent removes what was published with an event but its ids, type and
// times.
func (s *Store) ExpungeEvent(ctx context.Context, tenant, source, id string) error {
	event := webhook.EventKey(source, id)
	out, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: at(eventItemKey(tenant, event)), ReturnValues: types.ReturnValueAllNew,
		UpdateExpression:          aws.String("SET xp = :t REMOVE da, ex, pf, su, gsi2pk, gsi2sk"),
		ConditionExpression:       aws.String("attribute_exists(pk)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":t": &types.AttributeValueMemberBOOL{Value: true}},
	})
	if _, missing := unmet(err); missing {
		return webhook.ErrNotFound
	}
	if err != nil {
		return fault("expunge event", err)
	}
	if it := item(out.Attributes); it["dx"] != nil {
		return s.deleteAll(ctx, "expunge event data", []key{payloadKey(tenant, event, it.str("nn"))})
	}
	return nil
}

// ExpungeParts removes a delivery's body and what was answered to its attempts,
// which stay.
func (s *Store) ExpungeParts(ctx context.Context, tenant, delivery string) error {
	k, ok := deliveryKey(tenant, delivery)
	if !ok {
		return nil
	}
	if err := s.deleteAll(ctx, "expunge body", []key{k.content()}); err != nil {
		return err
	}
	items, err := s.query(ctx, "expunge answers", s.prefixQuery(k.pk, attemptsPrefix(delivery)), partsLimit)
	if err != nil {
		return err
	}
	var silent []item
	for _, it := range items {
		var a webhook.Attempt
		if err := it.json("a", &a); err != nil {
			return err
		}
		if a.Response == nil {
			continue
		}
		a.Response = nil
		stripped, err := s.attemptItem(k, a)
		if err != nil {
			return err
		}
		stripped["expires"] = it["expires"]
		silent = append(silent, stripped)
	}
	return s.putAll(ctx, "expunge answers", silent)
}
