package record

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// eventKey is where an event is. What hangs on it is below: see record.go.
func eventKey(tenant, key string) table.Key { return at(eventKind, tenant, table.Name(key)) }

// The fields of an event. All but its bulk and what lists show may go before it.
const (
	eventWhole      = "ev"
	eventSubject    = "su"
	eventExtensions = "ex"
	eventExpunged   = "xp"
	eventData       = "da"
	eventProfile    = "pf" // of its subject, as fan-out read it
	eventKeep       = "ke" // the time before which its data must not be removed
	eventBare       = "x"  // its data was removed
)

// Listed are the fields of an event that a list shows, and its plan, with their
// types: index 1 has them where an index has more than keys.
var Listed = table.Fields{eventWhole: table.Text(nil), eventSubject: "", eventExtensions: table.Text(nil), eventExpunged: int64(0)}

// longData is how many bytes of data stand in an item of their own, so that lists
// of events need not read them, where an index has keys alone.
const longData = 4 << 10

// dataKey names the data by its publication, so that the loser of a race does not
// overwrite the winner's.
func dataKey(tenant, event, nonce string) table.Key {
	return and(eventKey(tenant, event), "D"+separator+table.Name(nonce))
}

// CreateEvent stores e if its (tenant, source, id) is new. Otherwise it
// returns what is stored, unchanged. Of several concurrent calls with one
// identity exactly one creates, and all return the same stored event.
//
// With profiles it stores those too, or nothing of all: of a profile whose stored
// revision is not the one before, it returns [webhook.ErrConflict].
func (s *Store) CreateEvent(ctx context.Context, e webhook.StoredEvent, profiles ...webhook.Profile) (stored webhook.StoredEvent, created bool, err error) {
	apart := s.apart(e)
	it := eventItem(e, apart)
	it.Expires = s.lifetime()
	writes := []table.Write{{Item: it, If: s.unless()}}
	if apart {
		data := table.Item{Key: dataKey(e.Tenant, e.Key(), e.Nonce), Fields: table.Fields{}, Expires: s.payloadLifetime(e)}
		setPayload(data.Fields, e)
		if s.spread {
			err = table.PutAll(ctx, s.table, []table.Item{data}) // first: data without an event expires
		} else {
			writes = append(writes, table.Write{Item: data})
		}
	}
	for _, p := range profiles {
		writes = append(writes, s.ProfileWrite(p))
	}
	if err != nil {
		return stored, false, err
	}
	there, err := first(ctx, s.table, writes, table.How{If: writes[0].If, Wait: table.ForCommit, New: s.newEvent(ctx, e, it)})
	switch {
	case !errors.Is(err, table.ErrRefused):
		return e, err == nil, err
	case there.Key == (table.Key{}):
		return stored, false, webhook.ErrConflict
	}
	stored, err = s.eventWith(ctx, e.Tenant, there)
	return stored, false, err
}

// setPayload sets what may stand apart from an event.
func setPayload(fields table.Fields, e webhook.StoredEvent) {
	fields[eventData] = table.Text(e.Data)
	if len(e.Profile) > 0 {
		fields[eventProfile] = table.Text(e.Profile)
	}
}

// newEvent notes an event that is about to be written, and returns what tells that
// it is new. Of an event whose id its publisher chose that is not known: it may have
// come before, at any time.
func (s *Store) newEvent(ctx context.Context, e webhook.StoredEvent, it table.Item) func() bool {
	s.events.begin(ctx, s.table)
	isNew := s.events.add(e.Tenant, lastOf(it), it.Index[0].Sort[strings.LastIndexByte(it.Index[0].Sort, '#')+1:])
	if !e.Made() {
		return nil
	}
	return isNew
}

// first makes one write by itself, and several in a transaction. If the first one is
// refused, it returns what is there.
func first(ctx context.Context, t table.Table, writes []table.Write, how table.How) (there table.Item, err error) {
	if len(writes) == 1 {
		there, _, err = t.Put(ctx, writes[0].Item, how)
		return there, err
	}
	err = t.Transact(ctx, writes, how.Wait)
	var refusal *table.Refusal
	if errors.As(err, &refusal) {
		there = refusal.Refused[0]
	}
	return there, err
}

// Event returns a stored event, or [webhook.ErrNotFound].
func (s *Store) Event(ctx context.Context, tenant, source, id string) (webhook.StoredEvent, error) {
	return s.EventOf(ctx, tenant, webhook.EventKey(source, id))
}

// EventOf returns the event that a key names, or [webhook.ErrNotFound].
func (s *Store) EventOf(ctx context.Context, tenant, key string) (e webhook.StoredEvent, err error) {
	it, err := s.alive(ctx, eventKey(tenant, key))
	if err != nil {
		return e, err
	}
	return s.eventWith(ctx, tenant, it)
}

// eventWith reads an event with its data, if that stands apart and is still there.
func (s *Store) eventWith(ctx context.Context, tenant string, it table.Item) (webhook.StoredEvent, error) {
	e, apart, err := readEvent(tenant, it)
	if !apart || err != nil {
		return e, err
	}
	data, err := s.alive(ctx, dataKey(tenant, e.Key(), e.Nonce))
	if errors.Is(err, webhook.ErrNotFound) {
		err = nil
	}
	e.Data, e.Profile = json.RawMessage(data.Fields.Text(eventData)), json.RawMessage(data.Fields.Text(eventProfile))
	return e, err
}

// KeepEvent sees to it that an event keeps its data until the given time.
func (s *Store) KeepEvent(ctx context.Context, tenant, key string, until time.Time) error {
	if s.spread {
		return s.keepEvent(ctx, tenant, key, until)
	}
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
	return s.strip(ctx, tenant, webhook.EventKey(source, id), table.Change{
		Set: table.Fields{eventExpunged: int64(1), eventSubject: ""}, Unlist: [table.Indexes]bool{1: true},
	}, table.ForDisk)
}

// strip removes an event's data and extensions, and makes a change with that; of
// one that is not stored, it returns [webhook.ErrNotFound].
func (s *Store) strip(ctx context.Context, tenant, key string, change table.Change, wait table.Wait) error {
	if change.Set == nil {
		change.Set = table.Fields{}
	}
	maps.Copy(change.Set, table.Fields{
		eventData: table.Text(nil), eventProfile: table.Text(nil), eventExtensions: table.Text(nil), eventBare: int64(1),
	})
	change.Add = map[string]int64{revision: 1}
	it, _, err := s.table.Update(ctx, eventKey(tenant, key), change, table.How{If: table.Exists(), Wait: wait})
	if errors.Is(err, table.ErrRefused) {
		return webhook.ErrNotFound
	}
	if err != nil {
		return err
	}
	e, apart, err := readEvent(tenant, it)
	if !apart || err != nil {
		return err
	}
	return s.table.DeleteAll(ctx, []table.Key{dataKey(tenant, key, e.Nonce)}, wait)
}
