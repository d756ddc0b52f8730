package record

import (
	"context"
	"errors"
	"strings"

	"github.com/postino/postino/shared/store/table"
)

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
	items, err := table.GetLagging(ctx, t, keys...) // a list lags anyway
	found := make([]table.Item, len(named))
	for i, k := range keys {
		found[i] = items[k]
	}
	return found, err
}

// errPageEnds stops a walk.
var errPageEnds = errors.New("page ends")

// unlessEnded forgives that a walk was stopped.
func unlessEnded(err error) error {
	if errors.Is(err, errPageEnds) {
		return nil
	}
	return err
}
