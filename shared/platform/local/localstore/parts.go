package localstore

import (
	"context"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// partRows returns the statements that store what comes with a delivery.
func partRows(d webhook.Delivery, with webhook.Parts) (rows []statement, err error) {
	if a := with.Attempt; a != nil {
		body, err := encode(a)
		if err != nil {
			return nil, err
		}
		rows = append(rows, statement{"INSERT OR REPLACE INTO attempts (tenant, delivery, number, body) VALUES (?, ?, ?, ?)",
			[]any{d.Tenant, d.ID, a.Number, body}})
	}
	if c := with.Content; c != nil {
		inserts, err := encode(c.Body.Inserts)
		if err != nil {
			return nil, err
		}
		rows = append(rows, statement{
			"INSERT OR REPLACE INTO contents (tenant, delivery, method, content_type, inserts, body) VALUES (?, ?, ?, ?, ?, ?)",
			[]any{d.Tenant, d.ID, c.Method, c.ContentType, inserts, []byte(c.Body.Plain)}})
	}
	return rows, nil
}

// attemptsLimit bounds how many attempts of one delivery are ever read. Twenty
// make a schedule; more are made by hand.
const attemptsLimit = 1000

// Attempts lists a delivery's stored attempts by number.
func (s *Store) Attempts(ctx context.Context, tenant, id string) (attempts []webhook.Attempt, err error) {
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query("SELECT body FROM attempts WHERE tenant = ? AND delivery = ? ORDER BY number LIMIT ?", []any{tenant, id, attemptsLimit}, func(row *localdb.Row) error {
			var a webhook.Attempt
			err := decode(row.Text(0), &a)
			attempts = append(attempts, a)
			return err
		})
	})
	return attempts, err
}

// Content returns a delivery's stored body, or [webhook.ErrNotFound].
func (s *Store) Content(ctx context.Context, tenant, id string) (c webhook.Content, err error) {
	found := false
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query("SELECT method, content_type, inserts, body FROM contents WHERE tenant = ? AND delivery = ?", []any{tenant, id},
			func(row *localdb.Row) error {
				found = true
				c = webhook.Content{Method: row.Text(0), ContentType: row.Text(1), Body: webhook.Text{Plain: string(row.Bytes(3))}}
				return decode(row.Text(2), &c.Body.Inserts)
			})
	})
	if err == nil && !found {
		err = webhook.ErrNotFound
	}
	return c, err
}
