package dynamostore

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/webhook"
)

// CreateEvent stores e if its (tenant, source, id) is new. Otherwise it
// returns what is stored, unchanged. Of several concurrent calls with one
// identity exactly one creates, and all return the same stored event.
//
// With profiles it stores those too, or nothing of all: of a profile whose stored
// revision is not the one before, it returns [webhook.ErrConflict].
func (s *Store) CreateEvent(ctx context.Context, e webhook.StoredEvent, profiles ...webhook.Profile) (stored webhook.StoredEvent, created bool, err error) {
	it, mark := s.eventItem(e), mark()
	it["k"] = mark
	if err := s.putPayload(ctx, e, it); err != nil {
		return stored, false, err
	}
	if len(profiles) > 0 {
		return s.createWith(ctx, e, it, profiles)
	}
	_, err = s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table, Item: it,
		ConditionExpression: absentOrDead, ExpressionAttributeValues: s.nowValue(), ReturnValuesOnConditionCheckFailure: allOld,
	})
	if err == nil {
		return e, true, nil
	}
	there, taken := unmet(err)
	if !taken {
		return stored, false, fault("create event", err)
	}
	stored, err = s.withPayload(ctx, e.Tenant, there)
	return stored, there.marked(mark), err
}

// Event returns a stored event, consistently, or [webhook.ErrNotFound].
func (s *Store) Event(ctx context.Context, tenant, source, id string) (webhook.StoredEvent, error) {
	it, err := found(s.alive(s.get(ctx, "event", eventItemKey(tenant, webhook.EventKey(source, id)))))
	if err != nil {
		return webhook.StoredEvent{}, err
	}
	return s.withPayload(ctx, tenant, it)
}

func (s *Store) eventItem(e webhook.StoredEvent) item {
	key := e.Key()
	sk := eventSK(e.AcceptedAt, key)
	it := at(eventItemKey(e.Tenant, key))
	it.setStr("gsi1pk", eventsPK(e.Tenant, shard(sk, eventShards)))
	it.setStr("gsi1sk", sk)
	if e.Subject != "" {
		it.setStr("gsi2pk", subjectPK(e.Tenant, e.Subject, shard(sk, eventShards)))
		it.setStr("gsi2sk", sk)
	}
	it.setStr("id", e.ID)
	it.setStr("so", e.Source)
	it.setStr("ty", e.Type)
	it.setStr("su", e.Subject)
	it.setStr("ti", e.Time.UTC().Format(time.RFC3339Nano)) // nanoseconds since 1970 would not hold every year
	it.setText("ex", e.Extensions)
	it.setText("pf", e.Profile)
	it.setText("da", e.Data)
	it.setInt("ac", e.AcceptedAt.UnixMilli())
	it.setInt("hi", int64(e.History))
	it.setInt("dp", int64(e.Depth))
	it.setStr("nn", e.Nonce)
	it.setPlan(e.Plan)
	if e.Expunged {
		it["xp"] = &types.AttributeValueMemberBOOL{Value: true}
	}
	it.setInt("expires", s.lifetime())
	it.fit("da", "pl", "ex", "pf")
	return it
}

func eventOf(tenant string, it item) (e webhook.StoredEvent, err error) {
	e.Tenant, e.ID, e.Source, e.Type, e.Subject = tenant, it.str("id"), it.str("so"), it.str("ty"), it.str("su")
	e.Nonce, e.AcceptedAt = it.str("nn"), time.UnixMilli(it.int("ac")).UTC()
	e.History, e.Depth = webhook.History(it.int("hi")), uint8(it.int("dp"))
	e.Time, _ = time.Parse(time.RFC3339Nano, it.str("ti")) // as eventItem wrote it
	_, e.Expunged = it["xp"]
	if e.Data, err = it.text("da"); err != nil {
		return e, err
	}
	if e.Extensions, err = it.text("ex"); err != nil {
		return e, err
	}
	if e.Profile, err = it.text("pf"); err != nil {
		return e, err
	}
	e.Plan, err = planOf(it)
	return e, err
}

func (it item) setPlan(plan webhook.Plan) {
	it.setText("pl", planText(plan.Entries))
	it.setInt("pp", int64(plan.Pages))
	it.setStr("pn", plan.Key)
	it.setInt("pt", int64(plan.Total))
}

func planOf(it item) (plan webhook.Plan, err error) {
	plan.Key = it.str("pn")
	plan.Pages, plan.Total = int(it.int("pp")), int(it.int("pt"))
	plan.Entries, err = entriesOf(it)
	return plan, err
}
