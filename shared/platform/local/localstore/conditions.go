package localstore

import (
	"context"
	"time"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// SaveHealth stores h in the subscription's head if that is of the version and
// its health has h.Rev; otherwise [webhook.ErrConflict].
func (s *Store) SaveHealth(ctx context.Context, ref webhook.VersionRef, h webhook.Health) error {
	return s.recent.change(func() error {
		return s.db.Write(ctx, localdb.Background, func(tx *localdb.Tx) error {
			head, err := headOf(tx, webhook.SubscriptionRef{Tenant: ref.Tenant, ID: ref.ID})
			if err != nil {
				return err
			}
			if head.Version != ref.Version || head.Version == 0 || head.Health.Rev != h.Rev {
				return webhook.ErrConflict
			}
			next := h
			next.Rev++
			text, err := encode(next)
			if err != nil {
				return err
			}
			_, err = tx.Exec("UPDATE subscriptions SET health = ? WHERE tenant = ? AND id = ?", text, ref.Tenant, ref.ID)
			return err
		})
	})
}

// keptTallies is how long the windows before a tally are kept.
const keptTallies = time.Hour

// AddTally adds t to what is counted in the window and returns the sum.
func (s *Store) AddTally(ctx context.Context, sub webhook.SubscriptionRef, window time.Time, t webhook.Tally) (sum webhook.Tally, err error) {
	err = s.db.Write(ctx, localdb.Background, func(tx *localdb.Tx) error {
		if _, err := tx.Exec("DELETE FROM tallies WHERE tenant = ? AND subscription = ? AND window < ?",
			sub.Tenant, sub.ID, window.Add(-keptTallies).Unix()); err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO tallies (tenant, subscription, window, attempts, failed) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET attempts = attempts + excluded.attempts, failed = failed + excluded.failed`,
			sub.Tenant, sub.ID, window.Unix(), t.Attempts, t.Failed); err != nil {
			return err
		}
		return tx.Query("SELECT attempts, failed FROM tallies WHERE tenant = ? AND subscription = ? AND window = ?",
			[]any{sub.Tenant, sub.ID, window.Unix()}, func(row *localdb.Row) error {
				sum = webhook.Tally{Attempts: int(row.Int64(0)), Failed: int(row.Int64(1))}
				return nil
			})
	})
	return sum, err
}

// Reserve takes the next stretch of a subscription's time, unless it would
// begin after latest.
func (s *Store) Reserve(ctx context.Context, sub webhook.SubscriptionRef, now, latest time.Time, length time.Duration) (begin time.Time, taken bool, err error) {
	err = s.db.Write(ctx, localdb.Background, func(tx *localdb.Tx) error {
		begin, taken = now, false
		err := tx.Query("SELECT until FROM reservations WHERE tenant = ? AND subscription = ?", []any{sub.Tenant, sub.ID}, func(row *localdb.Row) error {
			if until := time.Unix(0, row.Int64(0)); until.After(now) {
				begin = until.UTC()
			}
			return nil
		})
		if err != nil || begin.After(latest) {
			return err
		}
		taken = true
		_, err = tx.Exec("INSERT INTO reservations (tenant, subscription, until) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET until = excluded.until",
			sub.Tenant, sub.ID, begin.Add(length).UnixNano())
		return err
	})
	return begin, taken, err
}
