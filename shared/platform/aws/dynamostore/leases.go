package dynamostore

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/webhook"
)

// leaseKept is how long a lease that has ended stays in the table.
const leaseKept = 24 * time.Hour

// Lease makes token the only holder of the named work until the given time,
// or reports false if another token holds it after now. The holder may
// extend, and give up by a time not after now.
func (s *Store) Lease(ctx context.Context, sub webhook.SubscriptionRef, work, token string, now, until time.Time) (bool, error) {
	it := at(leaseKey(sub, work))
	it.setStr("tk", token)
	it["un"] = number(nanos(until)) // also when 0, for the condition to compare
	kept := s.now()
	if until.After(kept) {
		kept = until
	}
	it.setInt("expires", kept.Add(leaseKept).Unix())
	_, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table, Item: it,
		ConditionExpression:       aws.String("attribute_not_exists(pk) OR tk = :t OR un <= :n"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":t": str(token), ":n": number(nanos(now))},
	})
	if err == nil {
		return true, nil
	}
	if _, held := unmet(err); held {
		return false, nil
	}
	return false, fault("lease", err)
}
