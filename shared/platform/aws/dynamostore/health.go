package dynamostore

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/postino/postino/shared/webhook"
)

// setHealth adds the health to a head's item.
func (it item) setHealth(h webhook.Health) {
	it.setInt("hr", h.Rev)
	it.setTime("fs", h.FailingSince)
	it.setTime("fa", h.FailedAt)
	it.setTime("bs", h.Breaker.Since)
	it.setInt("bp", int64(h.Breaker.Probes))
	it.setInt("bk", int64(h.Breaker.Passed))
	it.setTime("ba", h.Breaker.ProbeAt)
}

func (it item) health() webhook.Health {
	return webhook.Health{
		FailingSince: it.time("fs"), FailedAt: it.time("fa"), Rev: it.int("hr"),
		Breaker: webhook.Breaker{Since: it.time("bs"), Probes: int(it.int("bp")), Passed: int(it.int("bk")), ProbeAt: it.time("ba")},
	}
}

// healthAttributes are all that setHealth may set.
var healthAttributes = []string{"hr", "fs", "fa", "bs", "bp", "bk", "ba"}

// SaveHealth stores h in the subscription's head if that is of the version and
// its health has h.Rev; otherwise [webhook.ErrConflict]. Since a new version
// replaces the head's item, it has no health.
func (s *Store) SaveHealth(ctx context.Context, ref webhook.VersionRef, h webhook.Health) error {
	condition, values := "ve = :v AND attribute_not_exists(hr)", item{":v": number(ref.Version)}
	if h.Rev != 0 {
		condition = "ve = :v AND hr = :r"
		values[":r"] = number(h.Rev)
	}
	h.Rev++
	_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: at(headKey(ref.Tenant, ref.ID)),
		UpdateExpression: aws.String(healthUpdate(h, values)), ConditionExpression: &condition, ExpressionAttributeValues: values,
	})
	if _, other := unmet(err); other {
		return webhook.ErrConflict
	}
	if err != nil {
		return fault("save health", err)
	}
	return nil
}

// healthUpdate sets what h has and removes what it has not.
func healthUpdate(h webhook.Health, values item) string {
	set := item{}
	set.setHealth(h)
	var sets, removes []string
	for _, name := range healthAttributes {
		if v, has := set[name]; has {
			values[":"+name] = v
			sets = append(sets, name+" = :"+name)
		} else {
			removes = append(removes, name)
		}
	}
	update := "SET " + strings.Join(sets, ", ") // hr at least
	if len(removes) > 0 {
		update += " REMOVE " + strings.Join(removes, ", ")
	}
	return update
}
