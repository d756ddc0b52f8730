package localstore

import (
	"context"
	"time"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// keptStats is how long an hour is kept: until another is counted that much
// later, or a pass finds it.
const keptStats = 75 * 24 * time.Hour

const selectStats = "SELECT hour, counts FROM stats WHERE tenant = ? AND subscription = ? AND hour >= ? AND hour < ? ORDER BY hour"

// AddStats adds each count to what is stored under its name.
func (s *Store) AddStats(ctx context.Context, st webhook.Stats) error {
	return s.db.Write(ctx, localdb.Ordered, func(tx *localdb.Tx) error {
		sum, fresh, hour := map[string]int64{}, true, st.Hour.Unix()
		err := tx.Query(selectStats, []any{st.Tenant, st.Subscription, hour, hour + 1}, func(row *localdb.Row) error {
			fresh = false
			return decode(row.Text(1), &sum)
		})
		if err != nil {
			return err
		}
		for name, n := range st.Counts {
			sum[name] += n
		}
		text, err := encode(sum)
		if err != nil {
			return err
		}
		if fresh { // once an hour
			if _, err := tx.Exec("DELETE FROM stats WHERE tenant = ? AND subscription = ? AND hour < ?",
				st.Tenant, st.Subscription, st.Hour.Add(-keptStats).Unix()); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`INSERT INTO stats (tenant, subscription, hour, counts) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET counts = excluded.counts`, st.Tenant, st.Subscription, hour, text)
		return err
	})
}

// Stats lists what was counted from one time, included, to another, by hour.
func (s *Store) Stats(ctx context.Context, sub webhook.SubscriptionRef, from, before time.Time) (hours []webhook.Stats, err error) {
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(selectStats, []any{sub.Tenant, sub.ID, from.Unix(), before.Unix()}, func(row *localdb.Row) error {
			st := webhook.Stats{Tenant: sub.Tenant, Subscription: sub.ID, Hour: time.Unix(row.Int64(0), 0).UTC()}
			hours = append(hours, st)
			return decode(row.Text(1), &hours[len(hours)-1].Counts)
		})
	})
	return hours, err
}
