package dynamostore

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// createWith stores an event and the profiles that it changes, in one transaction.
func (s *Store) createWith(ctx context.Context, e webhook.StoredEvent, it item, profiles []webhook.Profile) (stored webhook.StoredEvent, created bool, err error) {
	items := []types.TransactWriteItem{{Put: &types.Put{
		TableName: &s.table, Item: it,
		ConditionExpression: absentOrDead, ExpressionAttributeValues: s.nowValue(), ReturnValuesOnConditionCheckFailure: allOld,
	}}}
	for _, p := range profiles {
		items = append(items, itemTable{s}.transactItem(s.ProfileWrite(p)))
	}
	err = s.transact(ctx, items)
	var canceled *types.TransactionCanceledException
	switch {
	case err == nil:
		return e, true, nil
	case !errors.As(err, &canceled):
		return stored, false, fault("create event", err)
	}
	if len(canceled.CancellationReasons) > 0 && code(canceled.CancellationReasons[0]) == "ConditionalCheckFailed" {
		there := item(canceled.CancellationReasons[0].Item)
		stored, err = s.withPayload(ctx, e.Tenant, there)
		return stored, there.marked(it["k"]), err
	}
	if err = canceledBecause(canceled.CancellationReasons); errors.Is(err, table.ErrRefused) {
		err = webhook.ErrConflict
	}
	return stored, false, err
}
