package dynamostore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/postino/postino/shared/webhook"
)

// partsLimit bounds how many attempts of one delivery are ever read. Twenty
// make a schedule; more are made by hand.
const partsLimit = 1000

// Content returns a delivery's stored body, or [webhook.ErrNotFound]: the
// body of a delivery that succeeded at once is not kept.
func (s *Store) Content(ctx context.Context, tenant, id string) (webhook.Content, error) {
	k, ok := deliveryKey(tenant, id)
	if !ok {
		return webhook.Content{}, webhook.ErrNotFound
	}
	it, err := found(s.alive(s.get(ctx, "content", k.content())))
	if err != nil {
		return webhook.Content{}, err
	}
	return contentOf(it)
}

// Attempts lists a delivery's stored attempts by number. An attempt that
// succeeded at once stands in the delivery alone.
func (s *Store) Attempts(ctx context.Context, tenant, id string) ([]webhook.Attempt, error) {
	k, ok := deliveryKey(tenant, id)
	if !ok {
		return nil, nil
	}
	items, err := s.query(ctx, "attempts", s.prefixQuery(k.pk, attemptsPrefix(id)), partsLimit)
	if err != nil {
		return nil, err
	}
	attempts := make([]webhook.Attempt, len(items))
	for i, it := range items {
		if err := it.json("a", &attempts[i]); err != nil {
			return nil, err
		}
	}
	return attempts, nil
}

func (s *Store) putParts(ctx context.Context, k key, parts webhook.Parts) error {
	var items []item
	if parts.Attempt != nil {
		it, err := s.attemptItem(k, *parts.Attempt)
		if err != nil {
			return err
		}
		items = append(items, it)
	}
	if parts.Content != nil {
		it, err := s.contentItem(k, *parts.Content)
		if err != nil {
			return err
		}
		items = append(items, it)
	}
	return s.putAll(ctx, "put parts", items)
}

func (s *Store) attemptItem(k key, a webhook.Attempt) (item, error) {
	b, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("dynamostore: encode attempt: %w", err)
	}
	it := at(k.attempt(a.Number))
	it.setText("a", b)
	it.setInt("expires", s.lifetime())
	it.fit("a")
	return it, nil
}

// contentItem is at most the 400 KB of DynamoDB: a body has 256 KiB.
func (s *Store) contentItem(k key, c webhook.Content) (item, error) {
	it := at(k.content())
	it.setStr("m", c.Method)
	it.setStr("y", c.ContentType)
	it.setText("b", []byte(c.Body.Plain))
	if len(c.Body.Inserts) > 0 {
		b, err := json.Marshal(c.Body.Inserts)
		if err != nil {
			return nil, fmt.Errorf("dynamostore: encode inserts: %w", err)
		}
		it.setText("in", b)
	}
	it.setInt("expires", s.lifetime())
	it.fit("b", "in")
	return it, nil
}

func contentOf(it item) (webhook.Content, error) {
	c := webhook.Content{Method: it.str("m"), ContentType: it.str("y")}
	body, err := it.text("b")
	if err != nil {
		return c, err
	}
	c.Body.Plain = string(body)
	return c, it.json("in", &c.Body.Inserts)
}
