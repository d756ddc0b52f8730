package record

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// eventKey is where an event is. What hangs on it is below: see record.go.
func eventKey(tenant, key string) table.Key { return at(eventKind, tenant, table.Name(key)) }

// The fields of an event beside its bulk.
const (
	eventData = "da"
	eventKeep = "ke" // the time before which its data must not be removed
	eventBare = "x"  // its data was removed

	eventProfile = "pf" // of its subject, as fan-out read it
)

// longData is how many bytes of data stand in an item of their own, so that lists
// of events need not read them.
const longData = 4 << 10

func dataKey(event table.Key) table.Key { return and(event, "D") }

// CreateEvent stores e if its (tenant, source, id) is new. Otherwise it
// returns what is stored, unchanged.
//
// With profiles it stores those too, or nothing of all: of a profile whose stored
// revision is not the one before, it returns [webhook.ErrConflict].
func (s *Store) CreateEvent(ctx context.Context, e webhook.StoredEvent, profiles ...webhook.Profile) (stored webhook.StoredEvent, created bool, err error) {
	it := eventItem(e)
	it.Fields[eventProfile] = table.Text(e.Profile)
	writes := []table.Write{{Item: it, If: table.NoItem()}}
	data := table.Fields{eventData: table.Text(e.Data)}
	if len(e.Data) > longData {
		writes = append(writes, table.Write{Item: table.Item{Key: dataKey(it.Key), Fields: data}})
	} else {
		maps.Copy(it.Fields, data)
	}
	for _, p := range profiles {
		writes = append(writes, s.ProfileWrite(p))
	}
	err = write(ctx, s.table, writes, table.ForCommit)
	if !errors.Is(err, table.ErrRefused) {
		return e, err == nil, err
	}
	stored, err = s.Event(ctx, e.Tenant, e.Source, e.ID)
	if errors.Is(err, webhook.ErrNotFound) && len(profiles) > 0 {
		err = webhook.ErrConflict
	}
	return stored, false, err
}

// Event returns a stored event, or [webhook.ErrNotFound].
func (s *Store) Event(ctx context.Context, tenant, source, id string) (webhook.StoredEvent, error) {
	return s.EventOf(ctx, tenant, webhook.EventKey(source, id))
}

// EventOf returns the event that a key names, or [webhook.ErrNotFound].
func (s *Store) EventOf(ctx context.Context, tenant, key string) (e webhook.StoredEvent, err error) {
	it, err := one(ctx, s.table, eventKey(tenant, key))
	if err != nil {
		return e, err
	}
	e, apart, err := readEvent(tenant, it)
	if !apart || err != nil {
		return e, err
	}
	data, err := one(ctx, s.table, dataKey(it.Key))
	if errors.Is(err, webhook.ErrNotFound) { // removed just now
		err = nil
	}
	e.Data = data.Fields.Text(eventData)
	return e, err
}

// PageEvents lists events, without their data and plan.
func (s *Store) PageEvents(ctx context.Context, tenant string, filter webhook.EventFilter, page webhook.Page) ([]webhook.StoredEvent, string, error) {
	l := newList[webhook.StoredEvent](page, isEventPosition, "events", tenant, filter.Type, filter.Subject)
	prefix, anyEnd := strings.CutSuffix(filter.Type, "*")
	anyEnd = anyEnd || filter.Type == ""
	return l.read(ctx, s.table, eventsBetween(tenant, filter.Subject, page), func(_ string, it table.Item) (e webhook.StoredEvent, wanted bool, err error) {
		e, _, err = readEvent(tenant, it)
		e.Data, e.Profile, e.Plan = nil, nil, webhook.Plan{}
		wanted = e.Type == prefix || anyEnd && strings.HasPrefix(e.Type, prefix)
		return e, wanted && (filter.Subject == "" || e.Subject == filter.Subject), err
	})
}

// eventsBetween are the events of a tenant within the page's bounds, by
// acceptance; those with the subject, unless it is "".
func eventsBetween(tenant, subject string, page webhook.Page) span {
	first, end := acceptedBetween(page)
	of := span{index: 1, item: itself, low: eventPosition(first, ""), high: eventPosition(end-1, behindAll)}
	place := eventPlace(tenant, "")
	if subject != "" {
		of.index, place = 2, subjectPlace(tenant, subject, "")
	}
	of.partition, of.prefix = place.Partition, place.Sort
	return of
}

// eventPlace is where index 1 has an event.
func eventPlace(tenant, position string) table.Key { return at(eventKind, tenant, position) }

// subjectPlace is where index 2 has an event that has a subject.
func subjectPlace(tenant, subject, position string) table.Key {
	return table.Key{Partition: "u#" + table.Name(tenant) + separator + webhook.Hash(20, "subject", subject), Sort: position}
}

// eventPosition is an event's place in the order of lists, as text that sorts
// so.
func eventPosition(acceptedMillis int64, key string) string {
	digits := table.Ordinal(acceptedMillis)
	return digits[len(digits)-acceptedDigits:] + key
}

// acceptedDigits is how much of an event's place its acceptance takes.
const acceptedDigits = 15

// isEventPosition reports whether the text begins with digits.
func isEventPosition(text string) bool {
	return len(text) >= acceptedDigits && strings.Trim(text[:acceptedDigits], "0123456789") == ""
}

// KeepEvent sees to it that an event keeps its data until the given time.
func (s *Store) KeepEvent(ctx context.Context, tenant, key string, until time.Time) error {
	later := table.Absent(eventKeep).Or(table.AtMost(eventKeep, table.Nanos(until)-1))
	_, _, err := s.table.Update(ctx, eventKey(tenant, key), table.Change{
		Set: table.Fields{eventKeep: table.Nanos(until)}, Add: map[string]int64{revision: 1},
	}, table.How{If: table.Exists().And(later), Wait: table.ForCommit})
	if errors.Is(err, table.ErrRefused) {
		return nil
	}
	return err
}

// ExpungeEvent removes what was published with an event but its ids, type and
// times.
func (s *Store) ExpungeEvent(ctx context.Context, tenant, source, id string) error {
	key := eventKey(tenant, webhook.EventKey(source, id))
	return s.rewrite(ctx, key, table.ForDisk, func(it *table.Item) error {
		e, _, err := readEvent(tenant, *it)
		e.Expunged, e.Subject, e.Extensions = true, "", nil
		it.Fields[whole], it.Index[1] = eventBulk(e, false), table.Key{}
		return err
	})
}

// rewrite changes an event and removes its data, unless somebody else changes it
// again and again; one that is not stored is [webhook.ErrNotFound].
func (s *Store) rewrite(ctx context.Context, key table.Key, wait table.Wait, change func(it *table.Item) error) error {
	for range changeTries {
		it, err := one(ctx, s.table, key)
		if err != nil {
			return err
		}
		next := it.Fields.Int(revision) + 1
		it.Fields = maps.Clone(it.Fields)
		if err := change(&it); err != nil {
			return err
		}
		it.Fields[revision], it.Fields[eventData], it.Fields[eventBare] = next, table.Text(nil), int64(1)
		it.Fields[eventProfile] = table.Text(nil)
		err = s.table.Transact(ctx, []table.Write{
			{Item: it, If: table.Revision(revision, next).And(table.Exists())},
			{Verb: table.Deletes, Item: table.Item{Key: dataKey(key)}},
		}, wait)
		if !errors.Is(err, table.ErrRefused) {
			return err
		}
	}
	return webhook.ErrBusy
}
