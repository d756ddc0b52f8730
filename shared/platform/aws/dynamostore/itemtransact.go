package dynamostore

import (
	"cmp"
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/store/table"
)

// Transact is one TransactWriteItems; a single write is made without, at half
// the price.
func (t itemTable) Transact(ctx context.Context, writes []table.Write, wait table.Wait) error {
	if len(writes) == 0 {
		return nil
	}
	if len(writes) == 1 && writes[0].Verb != table.Checks {
		return t.alone(ctx, writes[0], wait)
	}
	items := make([]types.TransactWriteItem, len(writes))
	for i, w := range writes {
		items[i] = t.transactItem(w)
	}
	err := t.s.transact(ctx, items, toldOfThrottles)
	if err == nil {
		return nil
	}
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) {
		return fault("transact", err)
	}
	return canceledBecause(canceled.CancellationReasons)
}

func (t itemTable) alone(ctx context.Context, w table.Write, wait table.Wait) (err error) {
	var stored table.Item
	how := table.How{If: w.If, Wait: wait}
	switch w.Verb {
	case table.Puts:
		stored, _, err = t.Put(ctx, w.Item, how)
	case table.Updates:
		stored, _, err = t.Update(ctx, w.Item.Key, w.Change, how)
	default:
		stored, err = t.deleteIf(ctx, w)
	}
	if errors.Is(err, table.ErrRefused) {
		return &table.Refusal{Refused: map[int]table.Item{0: stored}}
	}
	return err
}

func (t itemTable) deleteIf(ctx context.Context, w table.Write) (stored table.Item, err error) {
	e := expression{}
	_, err = t.s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &t.s.table, Key: at(storedKey(w.Item.Key)), ConditionExpression: e.condition(w.If),
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values, ReturnValuesOnConditionCheckFailure: allOld,
	})
	it, failed := unmet(err)
	switch {
	case failed && it == nil:
		return stored, table.ErrRefused
	case failed:
		stored, err = read(it)
		return stored, cmp.Or(err, table.ErrRefused)
	case err != nil:
		return stored, fault("transact", err)
	}
	return stored, nil
}

// transact leaves the request token to the SDK: one for each call, the same
// in all its tries, so that a try whose answer got lost is not made twice.
func (s *Store) transact(ctx context.Context, items []types.TransactWriteItem, how ...func(*dynamodb.Options)) error {
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items}, how...)
	return err
}

func code(reason types.CancellationReason) string { return aws.ToString(reason.Code) }

// canceledBecause tells a condition that failed from writers that met.
func canceledBecause(reasons []types.CancellationReason) error {
	refused := map[int]table.Item{}
	why := "TransactionConflict"
	for i, reason := range reasons {
		switch c := code(reason); c {
		case "None", "TransactionConflict":
		case "ConditionalCheckFailed":
			stored := table.Item{}
			if reason.Item != nil {
				var err error
				if stored, err = read(reason.Item); err != nil {
					return err
				}
			}
			refused[i] = stored
		default:
			why = c
		}
	}
	if len(refused) > 0 {
		return &table.Refusal{Refused: refused}
	}
	return coded("transact", why)
}

func (t itemTable) transactItem(w table.Write) types.TransactWriteItem {
	e := expression{}
	name, k := &t.s.table, at(storedKey(w.Item.Key))
	condition := e.condition(w.If)
	switch w.Verb {
	case table.Puts:
		return types.TransactWriteItem{Put: &types.Put{
			TableName: name, Item: written(w.Item), ConditionExpression: condition,
			ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values, ReturnValuesOnConditionCheckFailure: allOld,
		}}
	case table.Updates:
		update := e.update(w.Change)
		return types.TransactWriteItem{Update: &types.Update{
			TableName: name, Key: k, UpdateExpression: update, ConditionExpression: condition,
			ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values, ReturnValuesOnConditionCheckFailure: allOld,
		}}
	case table.Deletes:
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: name, Key: k, ConditionExpression: condition,
			ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values, ReturnValuesOnConditionCheckFailure: allOld,
		}}
	}
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: name, Key: k, ConditionExpression: condition,
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values, ReturnValuesOnConditionCheckFailure: allOld,
	}}
}
