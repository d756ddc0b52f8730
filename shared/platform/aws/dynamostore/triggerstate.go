package dynamostore

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/webhook"
)

// TriggerState returns the parts in the order asked for, consistently, each as
// of its own moment. Those that are not stored have Rev 0. One that has
// expired may still be returned.
func (s *Store) TriggerState(ctx context.Context, refs []webhook.StateRef) ([]webhook.StateItem, error) {
	keys := make([]key, len(refs))
	for i, ref := range refs {
		keys[i] = stateKey(ref)
	}
	items, err := s.getAll(ctx, "trigger state", keys, true)
	if err != nil {
		return nil, err
	}
	parts := make([]webhook.StateItem, len(refs))
	for i, ref := range refs {
		if parts[i], err = stateOf(ref, items[keys[i]]); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// SaveTriggerState stores all items, each with Rev+1, if every stored one
// still has its Rev (0: is not stored); otherwise [webhook.ErrConflict] and
// nothing is written.
func (s *Store) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	const op = "save trigger state"
	puts := make([]*types.Put, len(items))
	for i, it := range items {
		puts[i] = s.statePut(it)
	}
	var err error
	switch len(puts) {
	case 0:
	case 1: // half the price of a transaction
		_, err = s.client.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: &s.table, Item: puts[0].Item,
			ConditionExpression: puts[0].ConditionExpression, ExpressionAttributeValues: puts[0].ExpressionAttributeValues,
			ReturnValuesOnConditionCheckFailure: allOld,
		})
		if stored, failed := unmet(err); failed && stored.marked(puts[0].Item["k"]) {
			err = nil // this very call, whose first answer got lost
		}
	default:
		writes := make([]types.TransactWriteItem, len(puts))
		for i, put := range puts {
			writes[i] = types.TransactWriteItem{Put: put}
		}
		err = s.transact(ctx, writes)
	}
	return stateRefusal(op, err)
}

// stateRefusal tells why a save did not happen. Who met somebody else's
// transaction reads again, like everybody who lost a race.
func stateRefusal(op string, err error) error {
	if err == nil {
		return nil
	}
	var conflict *types.TransactionConflictException
	if _, failed := unmet(err); failed || errors.As(err, &conflict) {
		return webhook.ErrConflict
	}
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) {
		return fault(op, err)
	}
	for _, reason := range canceled.CancellationReasons {
		switch code(reason) {
		case "None", "ConditionalCheckFailed", "TransactionConflict":
		default:
			return coded(op, code(reason))
		}
	}
	return webhook.ErrConflict
}

// ListTriggerState returns up to limit parts of ref's key whose names are
// greater than ref.Part, by name, consistently.
func (s *Store) ListTriggerState(ctx context.Context, ref webhook.StateRef, limit int) ([]webhook.StateItem, error) {
	k, prefix := stateKey(ref), statePrefix(ref)
	found, err := s.query(ctx, "list trigger state", s.rangeQuery(k.pk, k.sk+" ", prefix+"~"), limit)
	if err != nil {
		return nil, err
	}
	parts := make([]webhook.StateItem, len(found))
	for i, it := range found {
		ref.Part = strings.TrimPrefix(it.str("sk"), prefix)
		if parts[i], err = stateOf(ref, it); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// DeleteTriggerState removes parts, whatever they hold; a repeat changes
// nothing.
func (s *Store) DeleteTriggerState(ctx context.Context, refs []webhook.StateRef) error {
	keys := make([]key, len(refs))
	for i, ref := range refs {
		keys[i] = stateKey(ref)
	}
	return s.deleteAll(ctx, "delete trigger state", keys)
}

// KeepEvent sees to it that an event does not expire before the given time.
func (s *Store) KeepEvent(ctx context.Context, tenant, eventKey string, until time.Time) error {
	event := eventItemKey(tenant, eventKey)
	if err := s.keepUntil(ctx, event, until); err != nil || !s.apart() {
		return err
	}
	it, err := s.get(ctx, "event", event)
	if err != nil || it["dx"] == nil {
		return err
	}
	return s.keepUntil(ctx, payloadKey(tenant, eventKey, it.str("nn")), until)
}

// stateKey keeps all parts of one key together, in one of a few partitions of
// its subscription, so that all of a subscription's state can be found.
func stateKey(ref webhook.StateRef) key {
	prefix := statePrefix(ref)
	return key{statesPK(webhook.SubscriptionRef{Tenant: ref.Tenant, ID: ref.Subscription}, shard(prefix, stateShards)), prefix + ref.Part}
}

func statePrefix(ref webhook.StateRef) string { return ordinal(ref.Epoch) + "#" + name(ref.Key) + "#" }

func statesPK(sub webhook.SubscriptionRef, shard string) string {
	return "x#" + name(sub.Tenant) + "#" + name(sub.ID) + "#" + shard
}

func (s *Store) statePut(it webhook.StateItem) *types.Put {
	row := at(stateKey(it.StateRef))
	row.setInt("rv", it.Rev+1)
	row.setText("d", it.Data)
	row["k"] = mark()
	if !it.Expires.IsZero() {
		row.setInt("expires", it.Expires.Unix())
	}
	row.fit("d")
	put := &types.Put{TableName: &s.table, Item: row, ConditionExpression: absent}
	if it.Rev > 0 {
		put.ConditionExpression = aws.String("rv = :r")
		put.ExpressionAttributeValues = map[string]types.AttributeValue{":r": number(it.Rev)}
	}
	return put
}

func stateOf(ref webhook.StateRef, it item) (webhook.StateItem, error) {
	part := webhook.StateItem{StateRef: ref, Rev: it.int("rv")}
	if seconds := it.int("expires"); seconds != 0 {
		part.Expires = time.Unix(seconds, 0).UTC()
	}
	var err error
	part.Data, err = it.text("d")
	return part, err
}
