package localstore

import (
	"context"
	"encoding/json"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// Heads returns the current heads in the order asked for. Those that do not
// exist have Version 0.
func (s *Store) Heads(ctx context.Context, refs []webhook.SubscriptionRef) ([]webhook.Head, error) {
	heads, generation := s.recent.find(refs)
	if heads != nil {
		return heads, nil
	}
	heads = make([]webhook.Head, len(refs))
	err := s.db.Read(ctx, func(tx *localdb.Tx) (err error) {
		for i, ref := range refs {
			if heads[i], err = headOf(tx, ref); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	kept := make(map[webhook.SubscriptionRef]webhook.Head, len(refs))
	for i, ref := range refs {
		kept[ref] = heads[i]
	}
	s.recent.put(generation, kept, nil)
	return heads, nil
}

// ListHeads returns up to limit heads with an id greater than after, by id.
// Only an empty list means the end.
func (s *Store) ListHeads(ctx context.Context, tenant, after string, limit int) (heads []webhook.Head, err error) {
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(selectHeads+" AND id > ? ORDER BY id LIMIT ?", []any{tenant, after, limit}, func(row *localdb.Row) error {
			head, err := readHead(row, tenant)
			heads = append(heads, head)
			return err
		})
	})
	return heads, err
}

// PageHeads returns one page of heads by id and the position of the next; ""
// means the end.
func (s *Store) PageHeads(ctx context.Context, tenant string, page webhook.Page) ([]webhook.Head, string, error) {
	list := newList[webhook.Head](page, anyText, "heads", tenant)
	low, high, err := list.bounds("", "~")
	if err != nil {
		return nil, "", err
	}
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(selectHeads+headRange+list.order(), []any{tenant, low, high}, func(row *localdb.Row) error {
			id := func() string { return row.Text(0) }
			return list.row(true, id, func() (webhook.Head, error) { return readHead(row, tenant) })
		})
	})
	return list.page(err)
}

const selectHeads = "SELECT id, version, born, state, types, filter, epoch, cancels, health, heavy FROM subscriptions WHERE tenant = ?"

const headRange = " AND id >= ? AND id < ? ORDER BY id "

// headOf returns the head of a subscription, or one with Version 0.
func headOf(tx *localdb.Tx, ref webhook.SubscriptionRef) (head webhook.Head, err error) {
	err = tx.Query(selectHeads+" AND id = ?", []any{ref.Tenant, ref.ID}, func(row *localdb.Row) (err error) {
		head, err = readHead(row, ref.Tenant)
		return err
	})
	return head, err
}

func readHead(row *localdb.Row, tenant string) (webhook.Head, error) {
	head := webhook.Head{Tenant: tenant, ID: row.Text(0), Version: row.Int64(1), Born: row.Int64(2), State: webhook.State(row.Text(3))}
	if !row.IsNull(5) {
		head.Filter = json.RawMessage(row.Text(5))
	}
	head.Epoch, head.Heavy = row.Int64(6), int(row.Int64(9))
	if !row.IsNull(7) {
		if err := decode(row.Text(7), &head.Cancels); err != nil {
			return head, err
		}
	}
	if !row.IsNull(8) {
		if err := decode(row.Text(8), &head.Health); err != nil {
			return head, err
		}
	}
	if row.IsNull(4) {
		return head, nil
	}
	return head, decode(row.Text(4), &head.Types)
}

func putHead(tx *localdb.Tx, head webhook.Head) error {
	var types, filter, cancels any
	if head.Types != nil {
		text, err := encode(head.Types)
		if err != nil {
			return err
		}
		types = text
	}
	if head.Filter != nil {
		filter = string(head.Filter)
	}
	if head.Cancels != nil {
		text, err := encode(head.Cancels)
		if err != nil {
			return err
		}
		cancels = text
	}
	_, err := tx.Exec(`INSERT INTO subscriptions (tenant, id, version, born, state, types, filter, epoch, cancels, heavy)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET version = excluded.version, born = excluded.born, state = excluded.state,
			types = excluded.types, filter = excluded.filter, epoch = excluded.epoch, cancels = excluded.cancels, health = NULL, heavy = excluded.heavy`,
		head.Tenant, head.ID, head.Version, head.Born, string(head.State), types, filter, head.Epoch, cancels, head.Heavy)
	return err
}
