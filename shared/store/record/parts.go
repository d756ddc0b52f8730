package record

import (
	"context"
	"errors"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// partsKey is what the keys of a delivery's body and attempts begin with.
func partsKey(tenant, id string) table.Key { return at(partKind, tenant, id) }

func contentKey(tenant, id string) table.Key { return and(partsKey(tenant, id), "R") }

func attemptsKey(tenant, id string) table.Key { return and(partsKey(tenant, id), "A") }

// parts are the writes of what comes with a delivery.
func (s *Store) parts(d webhook.Delivery, with webhook.Parts) (writes []table.Write) {
	if a := with.Attempt; a != nil {
		writes = append(writes, table.Write{Item: table.Item{
			Key: and(attemptsKey(d.Tenant, d.ID), table.Ordinal(int64(a.Number))), Fields: attemptFields(*a), Expires: s.lifetime(),
		}})
	}
	if c := with.Content; c != nil {
		writes = append(writes, table.Write{Item: table.Item{Key: contentKey(d.Tenant, d.ID), Fields: table.Fields{whole: table.Text(contentBulk(*c))}, Expires: s.lifetime()}})
	}
	return writes
}

func attemptFields(a webhook.Attempt) table.Fields {
	return table.Fields{whole: table.Text(bulk(nil).attempt(a))}
}

func readAttempt(it table.Item) (webhook.Attempt, error) {
	f := &fields{rest: string(it.Fields.Text(whole))}
	a := f.attempt()
	return a, f.err()
}

func contentBulk(c webhook.Content) []byte {
	b := make(bulk, 0, 64+len(c.Body.Plain))
	b = b.text(c.Method).text(c.ContentType).text(c.Body.Plain).number(int64(len(c.Body.Inserts)))
	for _, i := range c.Body.Inserts {
		b = b.number(int64(i.At)).text(i.Secret).text(i.Encode)
	}
	return b
}

// Content returns a delivery's stored body, or [webhook.ErrNotFound].
func (s *Store) Content(ctx context.Context, tenant, id string) (c webhook.Content, err error) {
	if s.strange(id) {
		return c, webhook.ErrNotFound
	}
	it, err := s.alive(ctx, contentKey(tenant, id))
	if err != nil {
		return c, err
	}
	return readContent(it)
}

func readContent(it table.Item) (webhook.Content, error) {
	f := &fields{rest: string(it.Fields.Text(whole))}
	c := webhook.Content{Method: f.text(), ContentType: f.text(), Body: webhook.Text{Plain: f.text()}}
	for range f.length() {
		c.Body.Inserts = append(c.Body.Inserts, webhook.Insert{At: int(f.number()), Secret: f.text(), Encode: f.text()})
	}
	return c, f.err()
}

// attemptsLimit bounds how many attempts of one delivery are ever read. Twenty
// make a schedule; more are made by hand.
const attemptsLimit = 1000

// Attempts lists a delivery's stored attempts by number.
func (s *Store) Attempts(ctx context.Context, tenant, id string) (attempts []webhook.Attempt, err error) {
	if s.strange(id) {
		return nil, nil
	}
	items, err := s.table.Page(ctx, below(attemptsKey(tenant, id)), attemptsLimit)
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		a, err := readAttempt(it)
		if err != nil {
			return nil, err
		}
		attempts = append(attempts, a)
	}
	return attempts, nil
}

// ExpungeParts removes a delivery's body and what was answered to its attempts,
// which stay.
func (s *Store) ExpungeParts(ctx context.Context, tenant, delivery string) error {
	if s.strange(delivery) {
		return nil
	}
	items, err := s.table.Page(ctx, below(attemptsKey(tenant, delivery)), attemptsLimit)
	if err != nil {
		return err
	}
	if err := s.table.DeleteAll(ctx, []table.Key{contentKey(tenant, delivery)}, table.ForCommit); err != nil {
		return err
	}
	for _, it := range items {
		a, err := readAttempt(it)
		if err != nil {
			return err
		}
		if a.Response == nil {
			continue
		}
		a.Response = nil
		_, _, err = s.table.Update(ctx, it.Key, table.Change{Set: attemptFields(a)}, table.How{If: table.Exists(), Wait: table.ForCommit})
		if err != nil && !errors.Is(err, table.ErrRefused) { // else it was removed
			return err
		}
	}
	return nil
}
