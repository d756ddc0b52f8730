package localstore

import (
	"context"
	"encoding/json"

	"github.com/postino/postino/shared/localdb"
	"github.com/postino/postino/shared/webhook"
)

// PutEventType registers a type, and reports whether it was not.
func (s *Store) PutEventType(ctx context.Context, typ webhook.EventType) (created bool, err error) {
	err = s.db.Write(ctx, localdb.Durable, func(tx *localdb.Tx) error {
		n, err := tx.Exec("DELETE FROM event_types WHERE tenant = ? AND type = ?", typ.Tenant, typ.Type)
		if created = n == 0; err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO event_types (tenant, type, description, schema, sample, deprecated, updated) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			typ.Tenant, typ.Type, typ.Description, optional(typ.Schema), optional(typ.Sample), typ.Deprecated, stamp(typ.UpdatedAt))
		return err
	})
	return created, err
}

// optional returns JSON as it is stored; nil is NULL.
func optional(text json.RawMessage) any {
	if text == nil {
		return nil
	}
	return string(text)
}

const selectTypes = "SELECT type, description, deprecated, updated, schema, sample FROM event_types WHERE tenant = ?"

// EventTypes returns the types that are registered, by name.
func (s *Store) EventTypes(ctx context.Context, tenant string, types []string) (map[string]webhook.EventType, error) {
	found := map[string]webhook.EventType{}
	err := s.db.Read(ctx, func(tx *localdb.Tx) error {
		for _, name := range types {
			err := tx.Query(selectTypes+" AND type = ?", []any{tenant, name}, func(row *localdb.Row) error {
				typ, err := readType(row, tenant)
				if !row.IsNull(4) {
					typ.Schema = json.RawMessage(row.Text(4))
				}
				if !row.IsNull(5) {
					typ.Sample = json.RawMessage(row.Text(5))
				}
				found[name] = typ
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// readType leaves schema and sample out.
func readType(row *localdb.Row, tenant string) (typ webhook.EventType, err error) {
	typ = webhook.EventType{Tenant: tenant, Type: row.Text(0), Description: row.Text(1), Deprecated: row.Int64(2) != 0}
	typ.UpdatedAt, err = moment(row, 3)
	return typ, err
}

// PageEventTypes lists types by name, without schema and sample.
func (s *Store) PageEventTypes(ctx context.Context, tenant string, page webhook.Page) (types []webhook.EventType, next string, err error) {
	l := newList[webhook.EventType](page, "event types", tenant)
	low, high, err := l.bounds("", "\U0010FFFF") // no character that can be printed
	if err != nil {
		return nil, "", err
	}
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(selectTypes+" AND type >= ? AND type < ? ORDER BY type "+l.order(), []any{tenant, low, high}, func(row *localdb.Row) error {
			return l.row(true, func() string { return row.Text(0) }, func() (webhook.EventType, error) { return readType(row, tenant) })
		})
	})
	return l.page(err)
}

// DeleteEventType removes a type, or returns [webhook.ErrNotFound].
func (s *Store) DeleteEventType(ctx context.Context, tenant, typ string) error {
	return s.db.Write(ctx, localdb.Durable, func(tx *localdb.Tx) error {
		n, err := tx.Exec("DELETE FROM event_types WHERE tenant = ? AND type = ?", tenant, typ)
		if err == nil && n == 0 {
			return webhook.ErrNotFound
		}
		return err
	})
}
