package record

import (
	"context"
	"strings"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// maxRows is how many items one page looks at, so that a filter which few items
// pass costs no more than a few milliseconds.
const maxRows = 500

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

// isPart reports whether a text is a part of a key as [table.Name] makes it.
func isPart(text string) bool { return table.IsName(strings.TrimPrefix(text, "!")) }

// from narrows a span to what lies beyond the page's position.
func (l *list[T]) from(of span) (span, error) {
	key, err := l.end()
	switch {
	case key == "":
	case l.asked.Desc:
		of.high = min(of.high, key)
	default:
		of.low = max(of.low, key)
	}
	return of, err
}

// end takes the page's position apart; "" is the beginning. One that this list did
// not give is [webhook.ErrNotFound].
func (l *list[T]) end() (key string, err error) {
	if l.asked.Position == "" {
		return "", nil
	}
	if len(l.asked.Position) < sealSize {
		return "", webhook.ErrNotFound
	}
	if key = l.asked.Position[sealSize:]; l.position(key) != l.asked.Position || !l.valid(key) {
		return "", webhook.ErrNotFound
	}
	return key, nil
}

// sealSize is the length of what stands before the key in a position: a hash
// that shows which list it belongs to.
const sealSize = 16

func (l *list[T]) position(key string) string {
	return webhook.Hash(10, append([]string{"position", key}, l.name...)...) + key
}

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
	if err := unlessEnded(err); err != nil {
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
