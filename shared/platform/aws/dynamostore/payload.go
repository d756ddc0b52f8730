package dynamostore

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/webhook"
)

// pagesTime is how long the messages for pages of a large plan may wait in their queue, each
// for its event's data: as long as the queue keeps messages.
const pagesTime = 14 * 24 * time.Hour

// apart reports whether data is kept apart from events, to go before them.
func (s *Store) apart() bool { return s.PayloadRetention > 0 && s.PayloadRetention < s.Retention }

// payloadKey names the data by its publication, so that the loser of a race
// does not overwrite the winner's.
func payloadKey(tenant, eventKey, nonce string) key {
	return key{eventPK(tenant, eventKey), "D#" + webhook.Hash(10, "nonce", nonce)}
}

// payload are the fields of an event that go before it: its data, and the profile
// that it was matched by.
var payload = []string{"da", "pf"}

// putPayload stores an event's data apart, and takes it out of the event's item,
// which is to be stored next: data without an event expires.
func (s *Store) putPayload(ctx context.Context, e webhook.StoredEvent, it item) error {
	if !s.apart() || e.Data == nil && e.Profile == nil {
		return nil
	}
	data := at(payloadKey(e.Tenant, e.Key(), e.Nonce))
	for _, field := range payload {
		if value, has := it[field]; has {
			data[field] = value
			delete(it, field)
		}
	}
	keep := s.PayloadRetention
	if e.Plan.Pages > 0 {
		keep = max(keep, pagesTime)
	}
	data.setInt("expires", s.Now().Add(keep).Unix())
	it["dx"] = &types.AttributeValueMemberBOOL{Value: true}
	return s.put(ctx, "put event data", data)
}

// withPayload is the event of an item, with its data if that stands apart and
// has not expired.
func (s *Store) withPayload(ctx context.Context, tenant string, it item) (webhook.StoredEvent, error) {
	e, err := eventOf(tenant, it)
	if _, apart := it["dx"]; err != nil || !apart {
		return e, err
	}
	data, err := s.alive(s.get(ctx, "event data", payloadKey(tenant, e.Key(), e.Nonce)))
	if err != nil || data == nil {
		return e, err
	}
	if e.Data, err = data.text("da"); err == nil {
		e.Profile, err = data.text("pf")
	}
	return e, err
}

// prolongPayload keeps the data that stands apart while a delivery waits, and
// lets the body go PayloadRetention after the delivery has ended. Once a day is
// enough.
func (s *Store) prolongPayload(ctx context.Context, k key, d webhook.Delivery, until time.Time) error {
	if d.Status != webhook.Pending {
		if d.Rev == 0 {
			return nil // it ended at once and has no body
		}
		return s.letGo(ctx, k.content(), s.Now().Add(s.PayloadRetention))
	}
	until = until.Truncate(24 * time.Hour)
	if d.Round > 0 { // it had ended before
		if err := s.keepUntil(ctx, k.content(), until); err != nil {
			return err
		}
	}
	event, err := s.get(ctx, "event", eventItemKey(d.Tenant, d.EventKey()))
	if err != nil || event["dx"] == nil {
		return err
	}
	return s.keepUntil(ctx, payloadKey(d.Tenant, d.EventKey(), event.str("nn")), until)
}

// letGo has an item expire at a time, if it is there.
func (s *Store) letGo(ctx context.Context, k key, at time.Time) error {
	return s.setExpiry(ctx, k, at, "attribute_exists(pk)")
}
