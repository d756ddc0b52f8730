package dynamostore

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/webhook"
)

// changeTries bounds how often a change makes way for others of its tenant.
// Each time it does, another one has succeeded.
const changeTries = 20

// change is one change of one subscription, made at the tenant's next version.
type change struct {
	tenant, id string
	expect     int64 // the version that is current until now, 0 for none
	gone       bool  // it deletes
	heavy      int   // see webhook.Subscription, which also has the quota
	within     webhook.Quota
	// items returns the head's write, which carries the condition, and what
	// else the change stores at that version.
	items func(version int64) ([]types.TransactWriteItem, error)
}

// change makes c at the version after the tenant's. It begins anew whenever
// another change of the tenant came first.
func (s *Store) change(ctx context.Context, op string, c change) error {
	for try := range changeTries {
		if err := pause(ctx, try); err != nil {
			return fault(op, err)
		}
		counter, err := s.get(ctx, "tenant version", counterKey(c.tenant))
		if err != nil {
			return err
		}
		has, err := s.occupied(ctx, c, counter)
		if err != nil {
			return err
		}
		current := counter.int("n")
		items, err := c.items(current + 1)
		if err != nil {
			return err
		}
		err = s.transact(ctx, append(items, s.bookkeeping(c, current, has)...))
		if overtaken, err := refusal(op, c.expect, err); !overtaken {
			return err
		}
	}
	return coded(op, "TransactionConflict")
}

// occupancy is how many subscriptions a tenant has, and what their filters take.
type occupancy struct{ subscriptions, heavy int64 }

// occupied returns what the tenant has after the change, whose condition on the
// counter makes it exact, or the error of the quota. What the filters of the version
// before take is read only where some tenant has heavy ones.
func (s *Store) occupied(ctx context.Context, c change, counter item) (occupancy, error) {
	has, before := occupancy{counter.int("sn"), counter.int("sw")}, int64(0)
	switch {
	case c.expect == 0 && !c.gone:
		has.subscriptions++
	case has.heavy > 0:
		head, err := s.get(ctx, "head", headKey(c.tenant, c.id))
		if err != nil {
			return has, err
		}
		before = head.int("hw") // of another version than expected: then the head refuses
	}
	if c.gone {
		has.subscriptions--
	}
	has.heavy = max(0, has.heavy+int64(c.heavy)-before)
	return has, c.within.Check(has.subscriptions, has.heavy, c.expect == 0 && !c.gone, int64(c.heavy) > before)
}

// transact leaves the request token to the SDK: one for each call, the same
// in all its tries, so that a try whose answer got lost is not made twice.
func (s *Store) transact(ctx context.Context, items []types.TransactWriteItem, how ...func(*dynamodb.Options)) error {
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items}, how...)
	return err
}

// bookkeeping raises the tenant's version from current, notes what it has then,
// logs the change, and lets the version before it expire.
func (s *Store) bookkeeping(c change, current int64, has occupancy) []types.TransactWriteItem {
	counter := &types.Update{
		TableName: &s.table, Key: at(counterKey(c.tenant)), UpdateExpression: aws.String("SET n = :m, sn = :s, sw = :w"),
		ConditionExpression:       aws.String("attribute_not_exists(n)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":m": number(current + 1), ":s": number(has.subscriptions), ":w": number(has.heavy)},
	}
	if current > 0 {
		counter.ConditionExpression = aws.String("n = :n")
		counter.ExpressionAttributeValues[":n"] = number(current)
	}
	items := []types.TransactWriteItem{
		{Update: counter},
		{Put: &types.Put{TableName: &s.table, Item: s.changeItem(c.tenant, c.id, current+1)}},
	}
	if c.expect > 0 && c.expect <= current { // else the head will refuse, and the item may be the one just made
		items = append(items, types.TransactWriteItem{Update: &types.Update{
			TableName: &s.table, Key: at(versionKey(c.tenant, c.id, c.expect)),
			UpdateExpression:          aws.String("SET expires = :x"),
			ConditionExpression:       aws.String("attribute_exists(pk)"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":x": number(s.outlived())},
		}})
	}
	return items
}

// refusal tells why a change did not happen. The head's write is its first.
func refusal(op string, expect int64, err error) (overtaken bool, _ error) {
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) || len(canceled.CancellationReasons) == 0 {
		if err == nil {
			return false, nil
		}
		return false, fault(op, err)
	}
	head := canceled.CancellationReasons[0]
	if code(head) == "ConditionalCheckFailed" {
		return false, headRefusal(expect, head.Item)
	}
	for _, reason := range canceled.CancellationReasons {
		switch code(reason) {
		case "None", "ConditionalCheckFailed", "TransactionConflict":
		default:
			return false, coded(op, code(reason))
		}
	}
	return true, nil
}

func code(reason types.CancellationReason) string { return aws.ToString(reason.Code) }

func headRefusal(expect int64, stored item) error {
	switch {
	case expect == 0:
		return webhook.ErrExists
	case stored == nil:
		return webhook.ErrNotFound
	}
	return webhook.ErrConflict
}
