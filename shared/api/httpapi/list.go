package httpapi

import (
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/postino/postino/shared/language/rfc3339"
	"github.com/postino/postino/shared/webhook"
)

// The query parameters of lists.
var (
	PageQuery = []string{"limit", "cursor", "order"} // of every list
	TimeQuery = append(PageQuery, "after", "before") // of lists by acceptance
)

// The bounds of limit.
const (
	defaultLimit = 50
	maxLimit     = 250
)

// List is one page of a list.
type List struct {
	Data       any     `json:"data"`
	NextCursor *string `json:"next_cursor"` // null at the end, and only there
}

// Listing is a request for one page.
type Listing struct {
	Page  webhook.Page
	scope string
}

// Listing reads the query of a list. A wrong parameter is 422. An invalid cursor,
// or the cursor of another list, is 400. An empty cursor means the first page. Any
// other empty parameter is an error, so that a script with an unset variable does
// not read more than it should.
func (r *Request) Listing() (Listing, error) {
	l := Listing{Page: webhook.Page{Limit: defaultLimit, Desc: true}, scope: r.listScope()}
	var faults Faults
	if r.Query.Has("limit") {
		n, err := strconv.Atoi(r.Query.Get("limit"))
		if err != nil || n < 1 || n > maxLimit {
			faults.Add("limit", "want a number from 1 to %d", maxLimit)
		}
		l.Page.Limit = n
	}
	if r.Query.Has("order") {
		order := r.Query.Get("order")
		if l.Page.Desc = order == "desc"; !l.Page.Desc && order != "asc" {
			faults.Add("order", `want "asc" or "desc"`)
		}
	}
	l.Page.After = r.queryTime("after", &faults)
	l.Page.Before = r.queryTime("before", &faults)
	if !l.Page.After.IsZero() && !l.Page.Before.IsZero() && !l.Page.Before.After(l.Page.After) {
		faults.Add("before", "want a time later than after")
	}
	if faults.Any() {
		return l, faults.Err()
	}
	if text := r.Query.Get("cursor"); text != "" {
		position, ok := decodeCursor(text, l.scope)
		if !ok {
			return l, BadCursor()
		}
		l.Page.Position = position
	}
	return l, nil
}

func (r *Request) queryTime(name string, faults *Faults) (t time.Time) {
	if !r.Query.Has(name) {
		return t
	}
	t, err := rfc3339.Parse(r.Query.Get(name))
	if err != nil {
		faults.Add(name, rfc3339.Wanted)
	}
	return t
}

// listScope is what a cursor is bound to: all that says which list it is, so
// everything but limit and cursor.
func (r *Request) listScope() string {
	parts := []string{"cursor", r.URL.EscapedPath()}
	for _, name := range slices.Sorted(maps.Keys(r.Query)) {
		if name != "limit" && name != "cursor" {
			parts = append(parts, name, r.Query.Get(name))
		}
	}
	return webhook.Hash(scopeBytes, parts...)
}

// BadCursor is the 400 for a cursor that is not valid for this list.
func BadCursor() *Problem {
	return InvalidCursor.Problem("The cursor is not valid for this list.",
		FieldError{"cursor", "want the next_cursor of the page before, with the same filters"})
}

// Next is the page with the cursor of the one after it.
func (l Listing) Next(data any, position string) List {
	list := List{Data: data}
	if position != "" {
		cursor := encodeCursor(l.scope, position)
		list.NextCursor = &cursor
	}
	return list
}

// A cursor is base64url of a version, the hash of its list and the store's
// position. It holds no secret and grants nothing: tenant and filters always
// come from the request.
const (
	cursorVersion = "1"
	scopeBytes    = 10 // 16 characters
	maxCursor     = 2048
)

var cursorEncoding = base64.RawURLEncoding.Strict()

func encodeCursor(scope, position string) string {
	return cursorEncoding.EncodeToString([]byte(cursorVersion + scope + position))
}

func decodeCursor(text, scope string) (position string, ok bool) {
	if len(text) > maxCursor {
		return "", false
	}
	b, err := cursorEncoding.DecodeString(text)
	prefix := cursorVersion + scope
	if err != nil || len(b) <= len(prefix) || string(b[:len(prefix)]) != prefix {
		return "", false
	}
	return string(b[len(prefix):]), true
}

// Refuse turns a store's refusal of the cursor's position into a [BadCursor],
// and leaves other errors as they are.
func (l Listing) Refuse(err error) error {
	if l.Page.Position != "" && errors.Is(err, webhook.ErrNotFound) {
		return BadCursor()
	}
	return err
}
