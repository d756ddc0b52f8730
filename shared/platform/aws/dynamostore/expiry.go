package dynamostore

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/webhook"
)

const (
	// grace is how much longer than promised an event and parts are kept, whose
	// deliveries may end that much later, or begin to wait for their subscription
	// so much later less outage, without a further write.
	grace = 5 * 24 * time.Hour
	// outage is what an outage of ours may take from a waiting delivery's time, at
	// least.
	outage = 3 * 24 * time.Hour
	// slack is added whenever what belongs to a waiting delivery is kept longer, so
	// that the next of its writes need not do it again.
	slack = 10 * 24 * time.Hour
)

// lifetime is the expiry, in seconds, of an event or part that is written now.
func (s *Store) lifetime() int64 { return s.Now().Add(s.Retention + grace).Unix() }

// dead reports whether an item has expired. DynamoDB takes days to remove such
// an item; until then it is as if it were not there.
func (s *Store) dead(it item) bool {
	n := it.int("expires")
	return n != 0 && n <= s.Now().Unix()
}

// alive is the item, nil if it has expired.
func (s *Store) alive(it item, err error) (item, error) {
	if s.dead(it) {
		return nil, err
	}
	return it, err
}

// absentOrDead is the condition that no item stands under a key, or one that
// has expired.
var absentOrDead = aws.String("attribute_not_exists(pk) OR expires <= :now")

func (s *Store) nowValue() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{":now": number(s.Now().Unix())}
}

// prolong moves on the expiry of a delivery's event and parts if the delivery
// may need them for longer than they were given at first. That is rare: a
// delivery sends or waits at an age of weeks, or ends at one of days.
func (s *Store) prolong(ctx context.Context, k key, d webhook.Delivery) error {
	until := s.neededUntil(d)
	if s.apart() {
		if err := s.prolongPayload(ctx, k, d, until.Add(webhook.MaxWait)); err != nil { // it is written anyhow, so at once for the longest wait
			return err
		}
	}
	if !until.After(d.CreatedAt.Add(s.Retention + grace)) { // as long as all that belongs to it is kept anyhow
		return nil
	}
	if d.Status == webhook.Pending {
		until = until.Add(slack)
	}
	keys, err := s.partKeys(ctx, k)
	if err != nil {
		return err
	}
	if s.apart() && d.Status != webhook.Pending { // the body has been let go
		keys = slices.DeleteFunc(keys, func(part key) bool { return part == k.content() })
	}
	keys = append(keys, eventItemKey(d.Tenant, d.EventKey()))
	if d.Occasion != "" {
		keys = append(keys, occasionKey(d))
	}
	for _, k := range keys {
		if err := s.keepUntil(ctx, k, until); err != nil {
			return err
		}
	}
	return nil
}

// neededUntil is the earliest time at which nobody misses what belongs to d,
// unless it is written again before.
func (s *Store) neededUntil(d webhook.Delivery) time.Time {
	now := s.Now()
	switch {
	case d.Status != webhook.Pending:
		return now.Add(s.Retention)
	case d.InLine():
		return now.Add(webhook.MaxWait + outage)
	case d.NextAt.After(now):
		now = d.NextAt
	}
	return now.Add(outage)
}

func (s *Store) partKeys(ctx context.Context, k key) ([]key, error) {
	in := s.prefixQuery(k.pk, partsPrefix(k.sk))
	in.ProjectionExpression = aws.String("pk, sk")
	items, err := s.query(ctx, "prolong", in, partsLimit)
	keys := make([]key, len(items))
	for i, it := range items {
		keys[i] = it.key()
	}
	return keys, err
}

// keepUntil moves an item's expiry on; never back, and never on an item that
// is not there or that does not expire.
func (s *Store) keepUntil(ctx context.Context, k key, until time.Time) error {
	return s.setExpiry(ctx, k, until, "expires < :x")
}

func (s *Store) setExpiry(ctx context.Context, k key, to time.Time, condition string) error {
	_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: at(k),
		UpdateExpression:          aws.String("SET expires = :x"),
		ConditionExpression:       &condition,
		ExpressionAttributeValues: map[string]types.AttributeValue{":x": number(to.Unix())},
	})
	if _, enough := unmet(err); err == nil || enough {
		return nil
	}
	return fault("prolong", err)
}

// KeepEvent sees to it that an event does not expire before the given time, nor
// before what is decided about it now.
func (s *Store) KeepEvent(ctx context.Context, tenant, eventKey string, until time.Time) error {
	event, kept := eventItemKey(tenant, eventKey), s.Now().Add(s.Retention+grace)
	if until.After(kept) {
		kept = until
	}
	if err := s.keepUntil(ctx, event, kept); err != nil || !s.apart() {
		return err
	}
	it, err := s.get(ctx, "event", event)
	if err != nil || it["dx"] == nil {
		return err
	}
	return s.keepUntil(ctx, payloadKey(tenant, eventKey, it.str("nn")), until)
}
