package noun

import (
	"context"
	"strings"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// list is a paged list of one tenant's items of one kind, in order of their
// sort keys.
type list[T any] struct {
	kind   string
	tenant string
	valid  func(sort string) bool // whether a position may name it
	read   func(table.Item) (T, error)
}

// page reads one page and the position of the next; "" at the end. A position
// that this list did not give is [webhook.ErrNotFound].
func (l list[T]) page(ctx context.Context, from table.Table, page webhook.Page) (entries []T, next string, err error) {
	return l.from(ctx, from, of(l.kind, l.tenant), page)
}

// from is page for a list in a partition of another name.
func (l list[T]) from(ctx context.Context, from table.Table, partition string, page webhook.Page) (entries []T, next string, err error) {
	r := table.Range{Partition: partition, Desc: page.Desc}
	after, err := l.after(page.Position)
	if err != nil {
		return nil, "", err
	}
	limit := max(page.Limit, 1)
	wanted := limit + 1 // one more shows whether the list goes on
	switch {
	case after == "":
	case page.Desc: // a range includes its ends: the entry that the last page ended with comes once more
		r.To, wanted = after, wanted+1
	default:
		r.From = after + "\x00"
	}
	items, err := from.Page(ctx, r, wanted)
	if err != nil {
		return nil, "", err
	}
	if page.Desc && len(items) > 0 && items[0].Sort == after {
		items = items[1:]
	}
	if len(items) > limit {
		items = items[:limit]
		next = l.seal() + items[limit-1].Sort
	}
	for _, it := range items {
		entry, err := l.read(it)
		if err != nil {
			return nil, "", err
		}
		entries = append(entries, entry)
	}
	return entries, next, nil
}

// after returns the sort key that a position names; "" is the beginning.
func (l list[T]) after(position string) (string, error) {
	if position == "" {
		return "", nil
	}
	sort, ours := strings.CutPrefix(position, l.seal())
	if !ours || !l.valid(sort) {
		return "", webhook.ErrNotFound
	}
	return sort, nil
}

// seal begins the positions of this list, so that one of another list is refused.
func (l list[T]) seal() string { return webhook.Hash(5, "list", l.kind, l.tenant) }
