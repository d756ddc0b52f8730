package localstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

const insertEvent = `INSERT INTO events (tenant, accepted_at, key, type, source, id, subject, time, nonce, expunged, extensions, plan, data, profile)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`

const eventColumns = "accepted_at, key, type, source, id, subject, time, nonce, expunged, extensions"

const selectEvent = "SELECT " + eventColumns + ", plan, data, profile FROM events WHERE tenant = ? AND key = ?"

// CreateEvent stores e if its (tenant, source, id) is new. Otherwise it
// returns what is stored, unchanged.
//
// With profiles it stores those too, or nothing of all: of a profile whose stored
// revision is not the one before, it returns [webhook.ErrConflict].
func (s *Store) CreateEvent(ctx context.Context, e webhook.StoredEvent, profiles ...webhook.Profile) (stored webhook.StoredEvent, created bool, err error) {
	key := e.Key()
	row, err := eventRow(e, key)
	if err != nil {
		return webhook.StoredEvent{}, false, err
	}
	err = s.db.Write(ctx, localdb.Ordered, func(tx *localdb.Tx) error {
		n, err := tx.Exec(insertEvent, row...)
		if created = n == 1; err != nil {
			return err
		}
		if created {
			stored = e
			return s.putProfiles(tx, profiles)
		}
		stored, err = eventOf(tx, e.Tenant, key)
		return err
	})
	return stored, created, err
}

// putProfiles stores profiles, or returns [webhook.ErrConflict].
func (s *Store) putProfiles(tx *localdb.Tx, profiles []webhook.Profile) error {
	items := itemTx{tx}
	for _, p := range profiles {
		w := s.ProfileWrite(p)
		stored, found, err := items.get(w.Item.Key)
		switch {
		case err != nil:
			return err
		case !w.If.Holds(stored, found):
			return webhook.ErrConflict
		}
		if err := items.put(w.Item); err != nil {
			return err
		}
	}
	return nil
}

// Event returns a stored event, or [webhook.ErrNotFound].
func (s *Store) Event(ctx context.Context, tenant, source, id string) (e webhook.StoredEvent, err error) {
	err = s.db.Read(ctx, func(tx *localdb.Tx) (err error) {
		e, err = eventOf(tx, tenant, webhook.EventKey(source, id))
		return err
	})
	return e, err
}

// PageEvents lists events, without their data and plan.
func (s *Store) PageEvents(ctx context.Context, tenant string, filter webhook.EventFilter, page webhook.Page) ([]webhook.StoredEvent, string, error) {
	list := newList[webhook.StoredEvent](page, isEventPosition, "events", tenant, filter.Type, filter.Subject)
	first, end := acceptedBetween(page)
	low, high, err := list.bounds(eventPosition(first, ""), eventPosition(end, ""))
	if err != nil {
		return nil, "", err
	}
	prefix, anyEnd := strings.CutSuffix(filter.Type, "*")
	anyEnd = anyEnd || filter.Type == ""
	query := listEvents(tenant, filter.Subject, low, high, list.order())
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(query.sql, query.args, func(row *localdb.Row) error {
			listed := row.Text(2)
			wanted := listed == prefix || anyEnd && strings.HasPrefix(listed, prefix)
			key := func() string { return eventPosition(row.Int64(0), row.Text(1)) }
			return list.row(wanted, key, func() (webhook.StoredEvent, error) { return readEvent(row, tenant) })
		})
	})
	return list.page(err)
}

// listEvents selects a range of positions, low included and high excluded, of
// events with the subject; "" for any.
func listEvents(tenant, subject, low, high, order string) statement {
	from, args := "events WHERE tenant = ?", []any{tenant}
	if subject != "" {
		from = "events INDEXED BY events_by_subject WHERE tenant = ? AND subject = ? AND subject <> ''"
		args = append(args, subject)
	}
	return statement{
		"SELECT " + eventColumns + " FROM " + from + ` AND (accepted_at, key) >= (?, ?) AND (accepted_at, key) < (?, ?)
			ORDER BY accepted_at ` + order + ", key " + order,
		append(append(args, eventKeys(low)...), eventKeys(high)...),
	}
}

// eventPosition is an event's place in the order of lists, as text that sorts
// so.
func eventPosition(acceptedMillis int64, key string) string {
	return fmt.Sprintf("%015d", acceptedMillis) + key
}

// acceptedDigits is how much of an event's place its acceptance takes.
const acceptedDigits = 15

// isEventPosition reports whether eventKeys can take the text apart.
func isEventPosition(text string) bool {
	return len(text) >= acceptedDigits && strings.Trim(text[:acceptedDigits], "0123456789") == ""
}

// eventKeys takes an event's place apart.
func eventKeys(position string) []any {
	accepted, _ := strconv.ParseInt(position[:acceptedDigits], 10, 64) // digits that fit
	return []any{accepted, position[acceptedDigits:]}
}

// eventRow returns the values of insertEvent.
func eventRow(e webhook.StoredEvent, key string) ([]any, error) {
	plan, err := encodePlan(e.Plan)
	if err != nil {
		return nil, err
	}
	var extensions, data, profile any
	if e.Profile != nil {
		profile = string(e.Profile)
	}
	if e.Extensions != nil {
		extensions = string(e.Extensions)
	}
	if e.Data != nil {
		data = []byte(e.Data)
	}
	return []any{
		e.Tenant, e.AcceptedAt.UnixMilli(), key, e.Type, e.Source, e.ID, e.Subject, stamp(e.Time), e.Nonce, e.Expunged,
		extensions, plan, data, profile,
	}, nil
}

// eventOf returns an event by its key, or [webhook.ErrNotFound].
func eventOf(tx *localdb.Tx, tenant, key string) (e webhook.StoredEvent, err error) {
	found := false
	err = tx.Query(selectEvent, []any{tenant, key}, func(row *localdb.Row) (err error) {
		found = true
		if e, err = readEvent(row, tenant); err != nil {
			return err
		}
		e.Data = row.Bytes(11)
		if !row.IsNull(12) {
			e.Profile = json.RawMessage(row.Text(12))
		}
		return decode(row.Text(10), &e.Plan)
	})
	if err == nil && !found {
		err = webhook.ErrNotFound
	}
	return e, err
}

// readEvent reads eventColumns.
func readEvent(row *localdb.Row, tenant string) (e webhook.StoredEvent, err error) {
	e.Tenant, e.AcceptedAt = tenant, time.UnixMilli(row.Int64(0)).UTC()
	e.Type, e.Source, e.ID, e.Subject = row.Text(2), row.Text(3), row.Text(4), row.Text(5)
	e.Nonce, e.Expunged = row.Text(7), row.Int64(8) != 0
	if !row.IsNull(9) {
		e.Extensions = json.RawMessage(row.Text(9))
	}
	e.Time, err = moment(row, 6)
	return e, err
}
