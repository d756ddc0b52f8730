package dynamostore

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/webhook"
)

// PutDue stores a pointer; the same pointer again changes nothing.
func (s *Store) PutDue(ctx context.Context, due webhook.Due) error {
	it := at(dueKey(due))
	it.setTime("t", due.At)
	it.setStr("kd", string(due.Kind))
	it.setStr("tn", due.Tenant)
	it.setStr("s", due.Subscription)
	it.setStr("i", due.ID)
	it.setInt("ro", int64(due.Round))
	it.setInt("sp", int64(due.Step))
	return s.put(ctx, "put due", it)
}

// DeleteDue removes pointers; a repeat changes nothing.
func (s *Store) DeleteDue(ctx context.Context, dues []webhook.Due) error {
	keys := make([]key, len(dues))
	for i, due := range dues {
		keys[i] = dueKey(due)
	}
	return s.deleteAll(ctx, "delete due", keys)
}

// DueAt lists up to limit pointers of the minute that begins at minute (UTC)
// in the shard (0 to [webhook.DueShards]-1), in order of time, consistently;
// next is "" at the end.
func (s *Store) DueAt(ctx context.Context, minute time.Time, shard int, position string, limit int) (dues []webhook.Due, next string, err error) {
	in := s.rangeQuery(duesPK(minute, strconv.Itoa(shard)), "0", "~")
	in.Limit = aws.Int32(int32(limit))
	if position != "" {
		in.ExclusiveStartKey = map[string]types.AttributeValue{"pk": in.ExpressionAttributeValues[":p"], "sk": str(position)}
	}
	out, err := s.client.Query(ctx, in)
	if err != nil {
		return nil, "", readFault("due", err)
	}
	for _, it := range out.Items {
		dues = append(dues, dueOf(it))
	}
	return dues, item(out.LastEvaluatedKey).str("sk"), nil
}

func dueOf(it item) webhook.Due {
	return webhook.Due{
		At:           it.time("t"),
		Kind:         webhook.DueKind(it.str("kd")),
		Tenant:       it.str("tn"),
		Subscription: it.str("s"),
		ID:           it.str("i"),
		Round:        int(it.int("ro")),
		Step:         int(it.int("sp")),
	}
}

// LowWater returns the minute before which no pointer is left, zero before
// the first sweep.
func (s *Store) LowWater(ctx context.Context) (time.Time, error) {
	it, err := s.get(ctx, "low water", lowWaterKey())
	return it.time("un"), err
}

// RaiseLowWater moves the mark forward; to an earlier time it does nothing.
func (s *Store) RaiseLowWater(ctx context.Context, to time.Time) error {
	it := at(lowWaterKey())
	it.setTime("un", to)
	_, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table, Item: it,
		ConditionExpression:       aws.String("attribute_not_exists(pk) OR un < :u"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":u": number(nanos(to))},
	})
	if _, higher := unmet(err); err == nil || higher {
		return nil
	}
	return fault("raise low water", err)
}
