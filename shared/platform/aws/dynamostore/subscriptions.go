package dynamostore

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/webhook"
)

// SaveSubscription stores s as a new version in one transaction with its
// head, the change log and the tenant's version, if the current version is
// still expect. It returns s with Version set, and with Born set when it
// creates. Expect 0 creates: [webhook.ErrExists] if there is one. Otherwise
// [webhook.ErrNotFound] or [webhook.ErrConflict]. Beyond s.Within,
// [webhook.ErrTooMany] or [webhook.ErrTooHeavy].
func (s *Store) SaveSubscription(ctx context.Context, sub webhook.Subscription, expect int64) (webhook.Subscription, error) {
	c := change{tenant: sub.Tenant, id: sub.ID, expect: expect, heavy: sub.Heavy, within: sub.Within}
	sub.Within = webhook.Quota{}
	c.items = func(version int64) ([]types.TransactWriteItem, error) {
		sub.Version = version
		if expect == 0 {
			sub.Born = version
		}
		face, err := headItem(sub.Head())
		if err != nil {
			return nil, err
		}
		head := &types.Put{TableName: &s.table, Item: face, ReturnValuesOnConditionCheckFailure: allOld}
		head.ConditionExpression, head.ExpressionAttributeValues = still(expect)
		whole, err := versionItem(sub)
		return []types.TransactWriteItem{{Put: head}, {Put: &types.Put{TableName: &s.table, Item: whole}}}, err
	}
	if err := s.change(ctx, "save subscription", c); err != nil {
		return webhook.Subscription{}, err
	}
	return sub, nil
}

// DeleteSubscription removes the head in one transaction with the change log
// and the tenant's version, if the current version is still expect; errors as
// SaveSubscription. Versions stay until they expire.
func (s *Store) DeleteSubscription(ctx context.Context, ref webhook.SubscriptionRef, expect int64) error {
	return s.change(ctx, "delete subscription", change{tenant: ref.Tenant, id: ref.ID, expect: expect, gone: true, items: func(int64) ([]types.TransactWriteItem, error) {
		head := &types.Delete{TableName: &s.table, Key: at(headKey(ref.Tenant, ref.ID)), ReturnValuesOnConditionCheckFailure: allOld}
		head.ConditionExpression, head.ExpressionAttributeValues = still(max(expect, 1))
		return []types.TransactWriteItem{{Delete: head}}, nil
	}})
}

// still is the condition on a head that its version is expect, 0 for none.
func still(expect int64) (*string, map[string]types.AttributeValue) {
	if expect == 0 {
		return absent, nil
	}
	return aws.String("ve = :e"), map[string]types.AttributeValue{":e": number(expect)}
}
