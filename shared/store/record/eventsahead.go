package record

import (
	"context"
	"strings"

	"github.com/postino/postino/shared/store/table"
)

// eventsAhead is a list of events in order, each with its position.
type eventsAhead struct {
	store   *Store
	of      span
	subject string // which all have; "" for any
	named   *merge
	size    int // of one read
	buffer  []table.Item
}

// ahead begins a list of the events of a span, of which the caller will take about
// limit.
func (s *Store) ahead(of span, subject string, desc bool, limit int) *eventsAhead {
	places := s.table.(spread)
	ranges, _ := places.ranges(table.Range{Index: of.index, Partition: of.partition, From: of.prefix + of.low, To: of.prefix + of.high, Desc: desc}) // of one tenant
	return &eventsAhead{store: s, of: of, subject: subject, named: places.merge(ranges, limit), size: min(limit, readAtOnce)}
}

func (a *eventsAhead) more() bool { return len(a.buffer) > 0 || a.named.more() }

// next returns the next event and its position; false at the end. One that is gone, or
// has lost its subject since, is passed over.
func (a *eventsAhead) next(ctx context.Context) (position string, it table.Item, more bool, err error) {
	for len(a.buffer) == 0 {
		if more, err := a.read(ctx); !more || err != nil {
			return "", it, false, err
		}
	}
	it, a.buffer = a.buffer[0], a.buffer[1:]
	return strings.TrimPrefix(keyIn(a.of.index, it), a.of.prefix), it, true, nil
}

// read fills the buffer: with one event of an index that has all that is wanted, or with
// as many as are read at once.
func (a *eventsAhead) read(ctx context.Context) (more bool, err error) {
	size := 1
	if a.of.item != nil {
		size = a.size
	}
	var named []table.Item
	for len(named) < size {
		it, more, err := a.named.next(ctx)
		if err != nil {
			return false, err
		}
		if !more {
			break
		}
		named = append(named, it)
	}
	found, err := find(ctx, a.store.table, a.of, named)
	for _, it := range found {
		if it.Key != (table.Key{}) && (a.subject == "" || it.Fields.String(eventSubject) == a.subject) {
			a.buffer = append(a.buffer, it)
		}
	}
	return len(named) > 0, err
}
