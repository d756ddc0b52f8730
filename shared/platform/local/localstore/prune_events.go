package localstore

import (
	"context"
	"time"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

const deliveriesToPrune = `SELECT tenant, id, ended_at, status = 'pending', instr(coalesce(last, ''), '"response"') > 0,
		EXISTS (SELECT 1 FROM contents WHERE contents.tenant = deliveries.tenant AND contents.delivery = deliveries.id)
	FROM deliveries WHERE (tenant, id) > (?, ?) ORDER BY tenant, id LIMIT ?`

// deliveries removes those that ended long ago, and the bodies and answers of
// those that ended less long ago. Rows beyond the youngest that could have
// ended are passed over.
func (p pruning) deliveries(ctx context.Context, after []any) ([]any, error) {
	young := webhook.DeliveryIDBound(p.now.Add(-p.keep.Payload))
	all, payload := p.ago(p.keep.All), p.ago(p.keep.Payload)
	var skipTo []any
	last, keys, err := p.rows(ctx, deliveriesToPrune, after, func(row *localdb.Row) ([]any, bool) {
		key := []any{row.Text(0), row.Text(1)}
		ended, pending := row.Text(2), row.Int64(3) != 0
		if row.Text(1) >= young {
			skipTo = []any{row.Text(0), deliveryIDEnd}
		}
		laden := row.Int64(4) != 0 || row.Int64(5) != 0
		return key, !pending && ended != "" && (ended <= all || laden && ended <= payload)
	})
	if err != nil {
		return nil, err
	}
	if last != nil && skipTo != nil && last[0] == skipTo[0] {
		last = skipTo // the rest of this tenant's are younger still
	}
	return last, p.each(ctx, keys, func(tx *localdb.Tx, key []any) error { return pruneDelivery(tx, key, all, payload) })
}

func pruneDelivery(tx *localdb.Tx, key []any, all, payload string) error {
	tenant, id := key[0].(string), key[1].(string)
	n, err := tx.Exec("DELETE FROM deliveries WHERE tenant = ? AND id = ? AND status <> 'pending' AND ended_at <= ?", tenant, id, all)
	if err != nil {
		return err
	}
	if n > 0 {
		if _, err = tx.Exec("DELETE FROM contents WHERE tenant = ? AND delivery = ?", tenant, id); err == nil {
			_, err = tx.Exec("DELETE FROM attempts WHERE tenant = ? AND delivery = ?", tenant, id)
		}
		return err
	}
	n, err = tx.Exec(`UPDATE deliveries SET last = json_remove(last, '$.response')
		WHERE tenant = ? AND id = ? AND status <> 'pending' AND ended_at <= ?`, tenant, id, payload)
	if n == 0 || err != nil {
		return err
	}
	return expungeParts(tx, tenant, id)
}

const eventsToPrune = `SELECT tenant, accepted_at, key, coalesce(keep, ''), data IS NOT NULL OR extensions IS NOT NULL,
		instr(plan, '"pages"') > 0
	FROM events WHERE (tenant, accepted_at, key) > (?, ?, ?) ORDER BY tenant, accepted_at, key LIMIT ?`

// pagesTime is how long the messages for a large plan's pages may wait in their queue, each for
// its event's data.
const pagesTime = 14 * 24 * time.Hour

// events removes those that are old and of which no delivery is left, and the
// data of those that are less old and of which none waits.
func (p pruning) events(ctx context.Context, after []any) ([]any, error) {
	all, payload, now := p.now.Add(-p.keep.All).UnixMilli(), p.now.Add(-p.keep.Payload).UnixMilli(), p.ago(0)
	var skipTo []any
	last, keys, err := p.rows(ctx, eventsToPrune, after, func(row *localdb.Row) ([]any, bool) {
		key, accepted := []any{row.Text(0), row.Int64(1), row.Text(2)}, row.Int64(1)
		if accepted > payload {
			skipTo = []any{row.Text(0), int64(1 << 60), ""}
		}
		mayGo := payload
		if row.Int64(5) != 0 {
			mayGo = max(all, payload-pagesTime.Milliseconds())
		}
		return key, row.Text(3) <= now && (accepted <= all || accepted <= mayGo && row.Int64(4) != 0)
	})
	if err != nil {
		return nil, err
	}
	if last != nil && skipTo != nil && last[0] == skipTo[0] {
		last = skipTo
	}
	return last, p.each(ctx, keys, func(tx *localdb.Tx, key []any) error { return pruneEvent(tx, key, all) })
}

// Whether an event has a delivery that a replay made.
const (
	replaysOf        = "SELECT 1 FROM deliveries INDEXED BY deliveries_by_occasion WHERE tenant = ? AND event_source = ? AND event_id = ? AND occasion <> ''"
	waitingReplaysOf = replaysOf + " AND status = 'pending'"
)

// The deliveries of one millisecond, one of which may belong to an event's plan.
const (
	waitingOf = `SELECT event_source, event_id FROM deliveries INDEXED BY deliveries_by_status
		WHERE tenant = ? AND status = 'pending' AND status <> 'succeeded' AND id >= ? AND id < ? LIMIT ?`
	deliveriesOf = "SELECT event_source, event_id FROM deliveries WHERE tenant = ? AND id >= ? AND id < ? LIMIT ?"
)

// owes reports whether one of the deliveries is the event's, or there are too
// many to tell.
func owes(tx *localdb.Tx, planned, replayed, tenant string, accepted int64, event string) (found bool, err error) {
	if found, err = sentAgain(tx, replayed, tenant, event); found || err != nil {
		return found, err
	}
	const most = 250
	low, high := webhook.DeliveryIDBound(time.UnixMilli(accepted)), webhook.DeliveryIDBound(time.UnixMilli(accepted+1))
	n := 0
	err = tx.Query(planned, []any{tenant, low, high, most}, func(row *localdb.Row) error {
		n++
		found = found || webhook.EventKey(row.Text(0), row.Text(1)) == event
		return nil
	})
	return found || n == most, err
}

// sentAgain reports whether there is a delivery that a replay of the event made.
func sentAgain(tx *localdb.Tx, replayed, tenant, event string) (found bool, err error) {
	var of []any
	err = tx.Query("SELECT tenant, source, id FROM events WHERE tenant = ? AND key = ?", []any{tenant, event}, func(row *localdb.Row) error {
		of = []any{row.Text(0), row.Text(1), row.Text(2)}
		return nil
	})
	if of == nil || err != nil {
		return false, err
	}
	err = tx.Query(replayed+" LIMIT 1", of, func(*localdb.Row) error {
		found = true
		return nil
	})
	return found, err
}

// pruneEvent removes an event that owes nothing, or its data while a delivery
// of it is kept.
func pruneEvent(tx *localdb.Tx, key []any, all int64) error {
	tenant, accepted, event := key[0].(string), key[1].(int64), key[2].(string)
	waits, err := owes(tx, waitingOf, waitingReplaysOf, tenant, accepted, event)
	if waits || err != nil {
		return err
	}
	kept := accepted > all
	if !kept {
		if kept, err = owes(tx, deliveriesOf, replaysOf, tenant, accepted, event); err != nil {
			return err
		}
	}
	if kept {
		_, err := tx.Exec("UPDATE events SET data = NULL, extensions = NULL WHERE tenant = ? AND key = ?", tenant, event)
		return err
	}
	const pagesAtOnce = 20 // of a plan, of some 30 KB each; the next pass removes the next
	n, err := tx.Exec(`DELETE FROM plan_pages WHERE tenant = ?1 AND event = ?2 AND (nonce, page) IN
		(SELECT nonce, page FROM plan_pages WHERE tenant = ?1 AND event = ?2 LIMIT ?3)`, tenant, event, pagesAtOnce)
	if n == pagesAtOnce || err != nil {
		return err
	}
	if _, err := tx.Exec("DELETE FROM replays WHERE tenant = ? AND event = ?", tenant, event); err != nil {
		return err
	}
	_, err = tx.Exec("DELETE FROM events WHERE tenant = ? AND key = ?", tenant, event)
	return err
}

const versionsToPrune = `SELECT tenant, id, version, coalesce(
		(SELECT min(json_extract(n.body, '$.updated_at'), '~') FROM subscription_versions n
			WHERE n.tenant = v.tenant AND n.id = v.id AND n.version > v.version ORDER BY n.version LIMIT 1),
		(SELECT '~' FROM subscriptions s WHERE s.tenant = v.tenant AND s.id = v.id),
		json_extract(v.body, '$.updated_at'), '~')
	FROM subscription_versions v WHERE (tenant, id, version) > (?, ?, ?) ORDER BY tenant, id, version LIMIT ?`

// versionGrace is how much longer than an event a superseded version is kept: a
// delivery may wait as long, and a trigger's delay for a year.
const versionGrace = 45*24*time.Hour + trigger.MaxDuration

// versions removes those that were superseded, or whose subscription was
// deleted, so long ago that nothing can refer to them.
func (p pruning) versions(ctx context.Context, after []any) ([]any, error) {
	old := p.now.Add(-p.keep.All - versionGrace).UTC().Format(time.RFC3339)
	last, keys, err := p.rows(ctx, versionsToPrune, after, func(row *localdb.Row) ([]any, bool) {
		return []any{row.Text(0), row.Text(1), row.Int64(2)}, row.Text(3) <= old
	})
	if err != nil {
		return nil, err
	}
	return last, p.each(ctx, keys, func(tx *localdb.Tx, key []any) error {
		_, err := tx.Exec("DELETE FROM subscription_versions WHERE tenant = ? AND id = ? AND version = ?", key...)
		return err
	})
}
