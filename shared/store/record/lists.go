package record

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// maxRows is how many items one page looks at, so that a filter which few items
// pass costs no more than a few milliseconds.
const maxRows = 500

// span is a range of keys of the table or of an index, both ends included, behind
// what all of them begin with.
type span struct {
	index             int
	partition, prefix string
	low, high         string
	item              func(table.Item) table.Key // where the items are that those of the span name; nil if they are these
}

// itself is where an item is that an index names.
func itself(it table.Item) table.Key { return it.Key }

// each calls see for the items of a span with their keys, in order, until it
// returns an error. It reads few items at first. One that is gone by the time that
// it is read is passed over.
func each(ctx context.Context, t table.Table, of span, desc bool, first int, see func(key string, it table.Item) error) error {
	r := table.Range{Index: of.index, Partition: of.partition, From: of.prefix + of.low, To: of.prefix + of.high, Desc: desc}
	last := ""
	for size := max(first, 2); r.From <= r.To; size = min(4*size, mostAtOnce) {
		items, err := t.Page(ctx, r, size)
		if err != nil {
			return err
		}
		found, err := find(ctx, t, of, items)
		if err != nil {
			return err
		}
		for i, it := range items {
			key := keyIn(of.index, it)
			if key == last { // a range includes its ends
				continue
			}
			if last = key; found[i].Partition == "" {
				continue
			}
			if err := see(strings.TrimPrefix(key, of.prefix), found[i]); err != nil {
				return err
			}
		}
		if len(items) < size {
			return nil
		}
		if desc {
			r.To = last
		} else {
			r.From = last + "\x00"
		}
	}
	return nil
}

// keyIn is the sort key of an item in the table (0) or in an index.
func keyIn(index int, it table.Item) string {
	if index > 0 {
		return it.Index[index-1].Sort
	}
	return it.Sort
}

// find returns the items that those of a span name, in their order; one that is
// gone has no key.
func find(ctx context.Context, t table.Table, of span, named []table.Item) ([]table.Item, error) {
	if of.item == nil || len(named) == 0 {
		return named, nil
	}
	keys := make([]table.Key, len(named))
	for i, it := range named {
		keys[i] = of.item(it)
	}
	items, err := t.Get(ctx, keys...)
	found := make([]table.Item, len(named))
	for i, k := range keys {
		found[i] = items[k]
	}
	return found, err
}

// list collects one page of a paged list.
type list[T any] struct {
	asked   webhook.Page
	name    []string              // tells this list from all others
	valid   func(key string) bool // whether a position may name it
	entries []T
	rows    int    // taken or passed over
	next    string // key of the first row beyond; "" at the end
}

// newList begins a page. Valid judges the keys in positions, which anybody can
// make up. The name holds all that selects the rows, tenant included: positions
// of one list mean nothing in another.
func newList[T any](page webhook.Page, valid func(key string) bool, name ...string) *list[T] {
	return &list[T]{asked: page, name: name, valid: valid}
}

// anyText is what a list's key may be that is compared alone.
func anyText(string) bool { return true }

// from narrows a span to what lies beyond the page's position; a position that
// this list did not give is [webhook.ErrNotFound].
func (l *list[T]) from(of span) (span, error) {
	if l.asked.Position == "" {
		return of, nil
	}
	if len(l.asked.Position) < sealSize {
		return of, webhook.ErrNotFound
	}
	key := l.asked.Position[sealSize:]
	switch {
	case l.position(key) != l.asked.Position || !l.valid(key):
		return of, webhook.ErrNotFound
	case l.asked.Desc:
		of.high = min(of.high, key)
	default:
		of.low = max(of.low, key)
	}
	return of, nil
}

// sealSize is the length of what stands before the key in a position: a hash
// that shows which list it belongs to.
const sealSize = 16

func (l *list[T]) position(key string) string {
	return webhook.Hash(10, append([]string{"position", key}, l.name...)...) + key
}

// errPageEnds stops a walk.
var errPageEnds = errors.New("page ends")

// row takes the current row if it is wanted and there is room, and otherwise
// ends the page.
func (l *list[T]) row(key string, wanted bool, entry T) error {
	if len(l.entries) >= max(l.asked.Limit, 1) || l.rows >= maxRows {
		l.next = key
		return errPageEnds
	}
	l.rows++
	if wanted {
		l.entries = append(l.entries, entry)
	}
	return nil
}

// read is a page of a span, of the entries that take wants.
func (l *list[T]) read(ctx context.Context, t table.Table, of span, take func(key string, it table.Item) (entry T, wanted bool, err error)) ([]T, string, error) {
	of, err := l.from(of)
	if err != nil {
		return nil, "", err
	}
	return l.page(each(ctx, t, of, l.asked.Desc, l.asked.Limit+1, func(key string, it table.Item) error {
		entry, wanted, err := take(key, it)
		if err != nil {
			return err
		}
		return l.row(key, wanted, entry)
	}))
}

// page returns what was collected by a walk that ended with err, and the
// position of what follows.
func (l *list[T]) page(err error) (entries []T, next string, _ error) {
	if err != nil && !errors.Is(err, errPageEnds) {
		return nil, "", err
	}
	if l.next != "" {
		next = l.position(l.next)
	}
	return l.entries, next, nil
}

// acceptedBetween returns the milliseconds of acceptance that lie within the
// page's bounds: first included, end excluded.
func acceptedBetween(page webhook.Page) (first, end int64) {
	first, end = 0, 1<<47
	if !page.After.IsZero() {
		first = max(first, page.After.UnixMilli()+1)
	}
	if !page.Before.IsZero() {
		end = min(end, page.Before.Add(time.Millisecond-1).UnixMilli())
	}
	return first, end
}
