package dynamostore

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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

// How long what is counted and reserved stays in the table.
const (
	tallyKept    = time.Hour
	reservedKept = 24 * time.Hour
)

// AddTally adds t to what is counted in the window and returns the sum.
func (s *Store) AddTally(ctx context.Context, sub webhook.SubscriptionRef, window time.Time, t webhook.Tally) (webhook.Tally, error) {
	out, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: at(tallyKey(sub, window)),
		UpdateExpression: aws.String("SET expires = :x ADD n :n, f :f"),
		ExpressionAttributeValues: item{
			":x": number(s.now().Add(tallyKept).Unix()), ":n": number(int64(t.Attempts)), ":f": number(int64(t.Failed)),
		},
		ReturnValues: types.ReturnValueUpdatedNew,
	})
	if err != nil {
		return webhook.Tally{}, fault("add tally", err)
	}
	sum := item(out.Attributes)
	return webhook.Tally{Attempts: int(sum.int("n")), Failed: int(sum.int("f"))}, nil
}

// reserveTries bounds the times that two callers meet between the two ways to
// reserve.
const reserveTries = 10

// Reserve takes the next stretch of a subscription's time, unless it would
// begin after latest. Expressions know no maximum, so there are two updates:
// from now on if all before has passed, else from the end of what is taken.
func (s *Store) Reserve(ctx context.Context, sub webhook.SubscriptionRef, now, latest time.Time, length time.Duration) (begin time.Time, taken bool, err error) {
	update, condition := "SET un = :e, expires = :x", "attribute_not_exists(un) OR un <= :n"
	values := item{":e": number(nanos(now.Add(length))), ":n": number(nanos(now))}
	for range reserveTries {
		values[":x"] = number(s.now().Add(reservedKept).Unix())
		out, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &s.table, Key: at(reservedKey(sub)), ReturnValues: types.ReturnValueUpdatedNew, ReturnValuesOnConditionCheckFailure: allOld,
			UpdateExpression: &update, ConditionExpression: &condition, ExpressionAttributeValues: values,
		})
		if err == nil {
			return item(out.Attributes).time("un").Add(-length), true, nil
		}
		stored, other := unmet(err)
		if !other {
			return begin, false, fault("reserve", err)
		}
		switch until := stored.time("un"); {
		case until.After(now) && until.After(latest):
			return until, false, nil
		case until.After(now):
			update, condition = "SET un = un + :l, expires = :x", "un > :n AND un <= :t"
			values = item{":l": number(int64(length)), ":n": number(nanos(now)), ":t": number(nanos(latest))}
		default:
			update, condition = "SET un = :e, expires = :x", "attribute_not_exists(un) OR un <= :n"
			values = item{":e": number(nanos(now.Add(length))), ":n": number(nanos(now))}
		}
	}
	return begin, false, webhook.ErrBusy
}
