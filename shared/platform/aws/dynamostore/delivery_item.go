package dynamostore

import (
	"encoding/json"
	"fmt"

	"github.com/postino/postino/shared/webhook"
)

func (s *Store) deliveryItem(k key, d webhook.Delivery) (item, error) {
	it := at(k)
	it.setStr("e", d.EventID)
	it.setStr("o", d.EventSource)
	it.setStr("s", d.Subscription)
	it.setInt("v", d.Version)
	it.setStr("oc", d.Occasion)
	it.setInt("n", int64(d.Count))
	it.setStr("st", string(d.Status))
	it.setStr("w", string(d.Waiting))
	it.setStr("r", string(d.Reason))
	it.setStr("rd", d.Detail)
	it.setInt("ro", int64(d.Round))
	it.setInt("sp", int64(d.Step))
	it.setTime("nx", d.NextAt)
	it.setInt("at", int64(d.Attempts))
	it.setTime("c", d.CreatedAt)
	it.setTime("en", d.EndedAt)
	it.setTime("ws", d.WaitingSince)
	it.setStr("dg", d.Digest)
	it.setStr("ct", d.Claim.Token)
	it.setTime("cu", d.Claim.Until)
	it.setInt("rv", d.Rev+1)
	if d.Status != webhook.Pending {
		it.setInt("expires", s.Now().Add(s.Retention).Unix())
	}
	if d.Status != webhook.Succeeded {
		it.index(d)
	}
	return it, it.setLast(d.Last)
}

// index puts a delivery into the lists of those that have not succeeded.
func (it item) index(d webhook.Delivery) {
	_, tag, _ := webhook.ParseDeliveryID(d.ID) // has given us a key
	it.setStr("gsi1pk", openPK(d.Tenant, d.Status, shard(d.ID, eventShards)))
	it.setStr("gsi1sk", d.ID)
	it.setStr("gsi2pk", openOfPK(d.Tenant, tag, d.Status, shard(d.ID, deliveryShards)))
	it.setStr("gsi2sk", d.ID)
}

func (it item) setLast(last *webhook.Attempt) error {
	if last == nil {
		return nil
	}
	b, err := json.Marshal(last)
	if err != nil {
		return fmt.Errorf("dynamostore: encode attempt: %w", err)
	}
	it.setText("la", b)
	it.fit("la")
	return nil
}

func deliveryOf(tenant string, it item) (webhook.Delivery, error) {
	d := webhook.Delivery{
		Tenant:       tenant,
		ID:           it.str("sk"),
		EventID:      it.str("e"),
		EventSource:  it.str("o"),
		Subscription: it.str("s"),
		Version:      it.int("v"),
		Occasion:     it.str("oc"),
		Count:        int(it.int("n")),
		Status:       webhook.Status(it.str("st")),
		Waiting:      webhook.Waiting(it.str("w")),
		Reason:       webhook.Reason(it.str("r")),
		Detail:       it.str("rd"),
		Round:        int(it.int("ro")),
		Step:         int(it.int("sp")),
		NextAt:       it.time("nx"),
		Attempts:     int(it.int("at")),
		CreatedAt:    it.time("c"),
		EndedAt:      it.time("en"),
		WaitingSince: it.time("ws"),
		Digest:       it.str("dg"),
		Claim:        webhook.Claim{Token: it.str("ct"), Until: it.time("cu")},
		Rev:          it.int("rv"),
	}
	if it["la"] == nil {
		return d, nil
	}
	d.Last = new(webhook.Attempt)
	return d, it.json("la", d.Last)
}
