package localstore

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// Delivery returns a stored delivery, or [webhook.ErrNotFound].
func (s *Store) Delivery(ctx context.Context, tenant, id string) (d webhook.Delivery, err error) {
	if s.written.absent(tenant, id) {
		return d, webhook.ErrNotFound
	}
	err = s.db.Read(ctx, func(tx *localdb.Tx) (err error) {
		d, err = deliveryOf(tx, tenant, id)
		return err
	})
	return d, err
}

// DeliveriesByID returns those that are stored, by id.
func (s *Store) DeliveriesByID(ctx context.Context, tenant string, ids []string) (map[string]webhook.Delivery, error) {
	found := make(map[string]webhook.Delivery, len(ids))
	err := s.db.Read(ctx, func(tx *localdb.Tx) error {
		for _, id := range ids {
			switch d, err := deliveryOf(tx, tenant, id); {
			case err == nil:
				found[id] = d
			case !errors.Is(err, webhook.ErrNotFound):
				return err
			}
		}
		return nil
	})
	return found, err
}

func deliveryOf(tx *localdb.Tx, tenant, id string) (d webhook.Delivery, err error) {
	err = tx.Query(selectDeliveries+" AND id = ?", []any{tenant, id}, func(row *localdb.Row) (err error) {
		d, err = readDelivery(row, tenant)
		return err
	})
	if err == nil && d.ID == "" {
		err = webhook.ErrNotFound
	}
	return d, err
}

// SaveDelivery stores d, and the parts that come with it, if the stored one
// still has d.Rev (0: if none is stored), with d.Rev+1; otherwise
// [webhook.ErrConflict].
func (s *Store) SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) error {
	write, err := saving(d)
	if err != nil {
		return err
	}
	parts, err := partRows(d, with)
	if err != nil {
		return err
	}
	s.written.add(d.Tenant, d.ID)
	durability := localdb.Background
	if d.Status == webhook.Canceled {
		durability = localdb.Durable // somebody was told so
	}
	return s.db.Write(ctx, durability, func(tx *localdb.Tx) error {
		n, err := tx.Exec(write.sql, write.args...)
		if err != nil {
			return err
		}
		if n == 0 {
			return webhook.ErrConflict
		}
		for _, part := range parts {
			if _, err := tx.Exec(part.sql, part.args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// SaveDeliveries saves each as SaveDelivery does, and returns an error for each;
// nil if all are saved.
func (s *Store) SaveDeliveries(ctx context.Context, saves []webhook.Save) []error {
	errs := make([]error, len(saves))
	var group errgroup.Group // written at once, they share a transaction
	for i, save := range saves {
		group.Go(func() error {
			errs[i] = s.SaveDelivery(ctx, save.Delivery, save.With)
			return errs[i]
		})
	}
	if group.Wait() == nil {
		return nil
	}
	return errs
}

// statement is SQL with its arguments.
type statement struct {
	sql  string
	args []any
}

const insertDelivery = `INSERT INTO deliveries (tenant, id, event_source, event_id, subscription, occasion, occurrence, created_at,
		version, status, waiting, reason, detail, round, step, next_at, attempts, ended_at, waiting_since, digest, last, claim, claim_until, rev)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING`

const updateDelivery = `UPDATE deliveries SET version = ?, status = ?, waiting = ?, reason = ?, detail = ?, round = ?, step = ?, next_at = ?,
		attempts = ?, ended_at = ?, waiting_since = ?, digest = ?, last = ?, claim = ?, claim_until = ?, rev = rev + 1
	WHERE tenant = ? AND id = ? AND rev = ?`

// saving returns the statement that stores d. What its id is made of never
// changes.
func saving(d webhook.Delivery) (statement, error) {
	var last any
	if d.Last != nil {
		text, err := encode(d.Last)
		if err != nil {
			return statement{}, err
		}
		last = text
	}
	state := []any{
		d.Version, string(d.Status), string(d.Waiting), string(d.Reason), d.Detail, d.Round, d.Step, stamp(d.NextAt),
		d.Attempts, stamp(d.EndedAt), stamp(d.WaitingSince), d.Digest, last, d.Claim.Token, stamp(d.Claim.Until),
	}
	if d.Rev > 0 {
		return statement{updateDelivery, append(state, d.Tenant, d.ID, d.Rev)}, nil
	}
	identity := []any{d.Tenant, d.ID, d.EventSource, d.EventID, d.Subscription, d.Occasion, d.Count, d.CreatedAt.UnixMilli()}
	return statement{insertDelivery, append(identity, state...)}, nil
}

const selectDeliveries = `SELECT id, status, event_source, event_id, subscription, occasion, created_at, version, waiting, reason,
		round, step, attempts, digest, claim, rev, next_at, ended_at, waiting_since, claim_until, last, occurrence, detail
	FROM deliveries WHERE tenant = ?`

// readDelivery reads the columns of selectDeliveries.
func readDelivery(row *localdb.Row, tenant string) (webhook.Delivery, error) {
	d := webhook.Delivery{
		Tenant: tenant, ID: row.Text(0), Status: webhook.Status(row.Text(1)),
		EventSource: row.Text(2), EventID: row.Text(3), Subscription: row.Text(4), Occasion: row.Text(5),
		CreatedAt: time.UnixMilli(row.Int64(6)).UTC(), Version: row.Int64(7),
		Waiting: webhook.Waiting(row.Text(8)), Reason: webhook.Reason(row.Text(9)),
		Round: int(row.Int64(10)), Step: int(row.Int64(11)), Attempts: int(row.Int64(12)),
		Digest: row.Text(13), Claim: webhook.Claim{Token: row.Text(14)}, Rev: row.Int64(15), Count: int(row.Int64(21)), Detail: row.Text(22),
	}
	for i, t := range []*time.Time{&d.NextAt, &d.EndedAt, &d.WaitingSince, &d.Claim.Until} {
		var err error
		if *t, err = moment(row, 16+i); err != nil {
			return d, err
		}
	}
	if row.IsNull(20) {
		return d, nil
	}
	return d, decode(row.Text(20), &d.Last)
}
