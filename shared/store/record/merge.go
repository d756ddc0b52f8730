package record

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/store/table"
)

// merge reads several ranges as one list in the order of their sort keys, and
// reads little more than it gives out.
type merge struct {
	table   spread
	size    int // of one read
	cursors []*cursor
}

// cursor reads one range.
type cursor struct {
	rest   table.Range
	buffer []table.Item
	last   string // the key of the last item that was read
	done   bool   // nothing but the buffer is left
}

// merge begins a list of which the caller will take about limit items. The
// ranges, as they are stored, differ in their partitions alone.
func (s spread) merge(ranges []table.Range, limit int) *merge {
	m := &merge{table: s, size: limit/len(ranges)*3/2 + 4}
	for _, r := range ranges {
		m.cursors = append(m.cursors, &cursor{rest: r, done: r.To != "" && r.From > r.To})
	}
	return m
}

// next returns the next item; false at the end.
func (m *merge) next(ctx context.Context) (it table.Item, more bool, err error) {
	if err := m.fill(ctx); err != nil {
		return it, false, err
	}
	var first *cursor
	for _, c := range m.cursors {
		if len(c.buffer) > 0 && (first == nil || c.before(first)) {
			first = c
		}
	}
	if first == nil {
		return it, false, nil
	}
	it = first.buffer[0]
	first.buffer = first.buffer[1:]
	return m.table.seen(it), true, nil
}

// more reports whether next may have something.
func (m *merge) more() bool {
	return slices.ContainsFunc(m.cursors, func(c *cursor) bool { return len(c.buffer) > 0 || !c.done })
}

func (c *cursor) before(other *cursor) bool {
	return (keyIn(c.rest.Index, c.buffer[0]) < keyIn(c.rest.Index, other.buffer[0])) != c.rest.Desc
}

// fill reads, at once, for all cursors that have run dry: no item can be called
// the next before each range has shown its first.
func (m *merge) fill(ctx context.Context) error {
	var group errgroup.Group
	for _, c := range m.cursors {
		if len(c.buffer) == 0 && !c.done {
			group.Go(func() error { return c.read(ctx, m.table.table, m.size) })
		}
	}
	return group.Wait()
}

// read goes on behind the last item that was read: a range that descends has it
// once more.
func (c *cursor) read(ctx context.Context, t table.Table, size int) error {
	items, err := t.Page(ctx, c.rest, size)
	if err != nil {
		return err
	}
	c.done = len(items) < size
	if c.last != "" && len(items) > 0 && keyIn(c.rest.Index, items[0]) == c.last {
		items = items[1:]
	}
	if c.buffer = items; len(items) == 0 {
		return nil
	}
	if c.last = keyIn(c.rest.Index, items[len(items)-1]); c.rest.Desc {
		c.rest.To = c.last
	} else {
		c.rest.From = c.last + "\x00"
	}
	return nil
}
