package dynamostore

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/postino/postino/shared/webhook"
)

// CreateReplay stores what a replay decided if its (tenant, event, id) is new.
// Otherwise it returns what is stored, unchanged; of several concurrent calls
// exactly one creates, and all return the same.
func (s *Store) CreateReplay(ctx context.Context, r webhook.Replay) (stored webhook.Replay, created bool, err error) {
	it, mark := at(replayKey(r.Tenant, r.EventKey, r.ID)), mark()
	it["k"] = mark
	it.setTime("c", r.At)
	it.setPlan(r.Plan)
	it.setInt("expires", s.lifetime())
	it.fit("pl")
	_, err = s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table, Item: it,
		ConditionExpression: absent, ReturnValuesOnConditionCheckFailure: allOld,
	})
	if err == nil {
		return r, true, nil
	}
	there, taken := unmet(err)
	if !taken {
		return stored, false, fault("create replay", err)
	}
	stored, stored.At = r, there.time("c")
	stored.Plan, err = planOf(there)
	return stored, there.marked(mark), err
}
