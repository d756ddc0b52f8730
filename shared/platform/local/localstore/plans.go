package localstore

import (
	"context"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// PutPlanPage stores one page of a large plan; a repeat overwrites.
func (s *Store) PutPlanPage(ctx context.Context, tenant, eventKey, nonce string, page int, entries []webhook.PlanEntry) error {
	text, err := encode(entries)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, localdb.Ordered, func(tx *localdb.Tx) error {
		_, err := tx.Exec(`INSERT INTO plan_pages (tenant, event, nonce, page, entries) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET entries = excluded.entries`, tenant, eventKey, nonce, page, text)
		return err
	})
}

// PlanPage returns a stored page, or [webhook.ErrNotFound].
func (s *Store) PlanPage(ctx context.Context, tenant, eventKey, nonce string, page int) (entries []webhook.PlanEntry, err error) {
	found := false
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query("SELECT entries FROM plan_pages WHERE tenant = ? AND event = ? AND nonce = ? AND page = ?",
			[]any{tenant, eventKey, nonce, page}, func(row *localdb.Row) error {
				found = true
				return decode(row.Text(0), &entries)
			})
	})
	if err == nil && !found {
		err = webhook.ErrNotFound
	}
	return entries, err
}

// encodePlan returns a plan as JSON.
func encodePlan(plan webhook.Plan) (string, error) {
	if plan.Total == 0 && plan.Pages == 0 && len(plan.Entries) == 0 {
		return `{"total":0}`, nil // most events interest nobody
	}
	return encode(plan)
}
