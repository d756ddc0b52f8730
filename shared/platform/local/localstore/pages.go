package localstore

import (
	"errors"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// maxRows is how many rows one page looks at, so that a filter which few rows
// pass costs no more than a few milliseconds.
const maxRows = 1000

// list collects one page of a paged list whose rows come in order of a key.
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

// anyText is what a list's key may be whose rows are found by comparing text.
func anyText(string) bool { return true }

// order returns the direction as SQL.
func (l *list[T]) order() string {
	if l.asked.Desc {
		return "DESC"
	}
	return "ASC"
}

// bounds narrows a range of keys, low included and high excluded, to what lies
// beyond the page's position; a position that this list did not give is
// [webhook.ErrNotFound].
func (l *list[T]) bounds(low, high string) (string, string, error) {
	if l.asked.Position == "" {
		return low, high, nil
	}
	if len(l.asked.Position) < sealSize {
		return "", "", webhook.ErrNotFound
	}
	key := l.asked.Position[sealSize:]
	switch {
	case l.position(key) != l.asked.Position || !l.valid(key):
		return "", "", webhook.ErrNotFound
	case l.asked.Desc:
		return low, min(high, key+"\x00"), nil // the key itself is still to come
	}
	return max(low, key), high, nil
}

// sealSize is the length of what stands before the key in a position: a hash
// that shows which list it belongs to.
const sealSize = 16

func (l *list[T]) position(key string) string {
	return webhook.Hash(10, append([]string{"position", key}, l.name...)...) + key
}

// errPageEnds stops a query.
var errPageEnds = errors.New("page ends")

// row takes the current row if it is wanted and there is room, and otherwise
// ends the page.
func (l *list[T]) row(wanted bool, key func() string, read func() (T, error)) error {
	if len(l.entries) >= max(l.asked.Limit, 1) || l.rows >= maxRows {
		l.next = key()
		return errPageEnds
	}
	l.rows++
	if !wanted {
		return nil
	}
	entry, err := read()
	l.entries = append(l.entries, entry)
	return err
}

// page returns what was collected by a query that ended with err, and the
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
