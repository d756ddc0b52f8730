package localstore

import (
	"context"
	"time"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// CreateReplay stores what a replay decided if its (tenant, event, id) is new.
// Otherwise it returns what is stored, unchanged.
func (s *Store) CreateReplay(ctx context.Context, r webhook.Replay) (stored webhook.Replay, created bool, err error) {
	plan, err := encodePlan(r.Plan)
	if err != nil {
		return stored, false, err
	}
	stored = r
	err = s.db.Write(ctx, localdb.Ordered, func(tx *localdb.Tx) error {
		n, err := tx.Exec("INSERT INTO replays (tenant, event, id, at, plan) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			r.Tenant, r.EventKey, r.ID, r.At.UnixMilli(), plan)
		if created = n == 1; created || err != nil {
			return err
		}
		return tx.Query("SELECT plan, at FROM replays WHERE tenant = ? AND event = ? AND id = ?", []any{r.Tenant, r.EventKey, r.ID},
			func(row *localdb.Row) error {
				stored.Plan, stored.At = webhook.Plan{}, time.UnixMilli(row.Int64(1)).UTC()
				return decode(row.Text(0), &stored.Plan)
			})
	})
	return stored, created, err
}
