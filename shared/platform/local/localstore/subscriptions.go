package localstore

import (
	"context"
	"fmt"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// SaveSubscription stores sub as a new version, with its head, if the current
// version is still expect; 0 creates it. It returns sub with its Version, and
// its Born if it was created; or [webhook.ErrExists], [webhook.ErrNotFound],
// [webhook.ErrConflict]; beyond sub.Within, [webhook.ErrTooMany] or
// [webhook.ErrTooHeavy].
func (s *Store) SaveSubscription(ctx context.Context, sub webhook.Subscription, expect int64) (webhook.Subscription, error) {
	saved := sub
	err := s.change(ctx, func(tx *localdb.Tx) (err error) {
		saved = sub
		saved.Within = webhook.Quota{}
		before, err := expected(tx, webhook.SubscriptionRef{Tenant: sub.Tenant, ID: sub.ID}, expect)
		if err != nil {
			return err
		}
		if saved.Version, err = change(tx, sub.Tenant, sub.ID); err != nil {
			return err
		}
		more := 0
		if expect == 0 {
			saved.Born, more = saved.Version, 1
		}
		if err := occupy(tx, sub.Tenant, sub.Within, more, sub.Heavy-before.Heavy); err != nil {
			return err
		}
		if err := putVersion(tx, saved); err != nil {
			return err
		}
		return putHead(tx, saved.Head())
	})
	if err != nil {
		return webhook.Subscription{}, err
	}
	return saved, nil
}

// DeleteSubscription removes the head if the current version is still expect;
// otherwise [webhook.ErrNotFound] or [webhook.ErrConflict].
func (s *Store) DeleteSubscription(ctx context.Context, ref webhook.SubscriptionRef, expect int64) error {
	return s.change(ctx, func(tx *localdb.Tx) error {
		before, err := expected(tx, ref, expect)
		if err != nil {
			return err
		}
		if _, err := change(tx, ref.Tenant, ref.ID); err != nil {
			return err
		}
		if err := occupy(tx, ref.Tenant, webhook.Quota{}, -1, -before.Heavy); err != nil {
			return err
		}
		_, err = tx.Exec("DELETE FROM subscriptions WHERE tenant = ? AND id = ?", ref.Tenant, ref.ID)
		return err
	})
}

// change writes what alters heads or a tenant's version. Nothing else may.
func (s *Store) change(ctx context.Context, fn func(tx *localdb.Tx) error) error {
	return s.recent.change(func() error { return s.db.Write(ctx, localdb.Durable, fn) })
}

// expected returns the subscription's head if its version is expect, 0 for none.
func expected(tx *localdb.Tx, ref webhook.SubscriptionRef, expect int64) (webhook.Head, error) {
	current, err := headOf(tx, ref)
	switch {
	case err != nil:
		return current, err
	case current.Version == expect:
		return current, nil
	case expect == 0:
		return current, webhook.ErrExists
	case current.Version == 0:
		return current, webhook.ErrNotFound
	}
	return current, webhook.ErrConflict
}

// occupy counts subscriptions, and what their filters take, of a tenant that has
// had a change.
func occupy(tx *localdb.Tx, tenant string, within webhook.Quota, more, heavier int) error {
	if _, err := tx.Exec("UPDATE tenants SET subscriptions = max(0, subscriptions + ?), heavy = max(0, heavy + ?) WHERE tenant = ?", more, heavier, tenant); err != nil {
		return err
	}
	var subscriptions, heavy int64
	err := tx.Query("SELECT subscriptions, heavy FROM tenants WHERE tenant = ?", []any{tenant}, func(row *localdb.Row) error {
		subscriptions, heavy = row.Int64(0), row.Int64(1)
		return nil
	})
	if err != nil {
		return err
	}
	return within.Check(subscriptions, heavy, more > 0, heavier > 0)
}

// Versions returns immutable versions in the order asked for, or
// [webhook.ErrNotFound] if one does not exist.
func (s *Store) Versions(ctx context.Context, refs []webhook.VersionRef) ([]webhook.Subscription, error) {
	versions := make([]webhook.Subscription, 0, len(refs))
	err := s.db.Read(ctx, func(tx *localdb.Tx) error {
		for _, ref := range refs {
			sub, err := versionOf(tx, ref)
			if err != nil {
				return fmt.Errorf("version %d of subscription %s: %w", ref.Version, ref.ID, err)
			}
			versions = append(versions, sub)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return versions, nil
}

func putVersion(tx *localdb.Tx, sub webhook.Subscription) error {
	body, err := encode(sub)
	if err != nil {
		return err
	}
	secrets, err := encode(sub.Secrets)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO subscription_versions (tenant, id, version, born, body, secrets)
		VALUES (?, ?, ?, ?, ?, ?)`, sub.Tenant, sub.ID, sub.Version, sub.Born, body, secrets)
	return err
}

func versionOf(tx *localdb.Tx, ref webhook.VersionRef) (webhook.Subscription, error) {
	sub, found := webhook.Subscription{Tenant: ref.Tenant}, false
	err := tx.Query("SELECT born, body, secrets FROM subscription_versions WHERE tenant = ? AND id = ? AND version = ?",
		[]any{ref.Tenant, ref.ID, ref.Version}, func(row *localdb.Row) error {
			found, sub.Born = true, row.Int64(0)
			if err := decode(row.Text(1), &sub); err != nil {
				return err
			}
			return decode(row.Text(2), &sub.Secrets)
		})
	if err == nil && !found {
		err = webhook.ErrNotFound
	}
	if string(sub.Metadata) == "null" {
		sub.Metadata = nil
	}
	return sub, err
}
