// Package table is the narrow contract of storage: an ordered table of items.
//
// What is stored (keys of the API, secrets, jobs …) is written once above it, in
// package noun. An adapter knows nothing of nouns: it has these five methods, for
// DynamoDB (dynamostore), for local mode (localstore) and in memory ([Memory]).
// Package tabletest is the suite that all of them pass.
package table

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Table stores items by key. It may be used concurrently, by many processes.
// Reads are consistent: they see every write that has returned.
//
// A write may return an error that wraps [webhook.ErrBusy]: nothing was
// written, and the same call may succeed later. After any other error, but
// [ErrRefused], it is open whether the item was written.
type Table interface {
	// Get returns the items that exist, each once however often it is asked for.
	Get(ctx context.Context, keys ...Key) (map[Key]Item, error)
	// Page returns up to limit items of a range, in the order of their sort keys.
	Page(ctx context.Context, r Range, limit int) ([]Item, error)
	// Put stores an item. It returns the one whose place it took, and whether
	// there was one; with a Revision, only whether. If the condition does not
	// hold, it returns [ErrRefused].
	Put(ctx context.Context, item Item, how How) (old Item, replaced bool, err error)
	// Delete removes an item, or returns [ErrRefused] if there is none.
	Delete(ctx context.Context, key Key) error
	// DeleteAll removes items. One that does not exist is no error.
	DeleteAll(ctx context.Context, keys []Key) error
}

// ErrRefused says that nothing was written because the condition of the write
// did not hold.
var ErrRefused = errors.New("table: the condition of the write does not hold")

// Key is where an item stands. Both parts are valid UTF-8 and not empty. A
// partition has at most 2,048 bytes, a sort key 1,024, as DynamoDB has it.
type Key struct {
	Partition string // its items are kept together, in the order of Sort
	Sort      string
}

// Item is what is stored under a key: named fields, at most 400 KB together.
type Item struct {
	Key
	Fields Fields
	// Expires is when the item has had its time; zero means never. It may be
	// removed from then on, at any time: whoever must not see it compares.
	Expires time.Time
}

// Fields are values by name: string, int64, []byte, or [Text]. A zero value is
// not stored, and reads as absent. Names are short because DynamoDB bills them.
type Fields map[string]any

// Text is UTF-8 or any other bytes that an adapter may compress.
type Text []byte

// Range selects items of a partition by their sort keys.
type Range struct {
	Partition string
	From      string // the least sort key; "" is the beginning
	To        string // the greatest sort key; "" is the end
	Desc      bool   // greatest first
}

// How says under what condition an item is stored, and what the call waits for.
type How struct {
	// Revision, if not "", is the field that counts the writes of an item. The
	// item is stored if the one that is there has a revision one lower, or if
	// none is there and the new one's is 1.
	Revision string
	// Keep, if any, are fields that stay as they are where an item is there
	// already. Fields of that item which the new one lacks stay then, too. Not
	// with a Revision.
	Keep []string
	// Relaxed lets the call return before the item is safe from a power cut.
	// Writes keep their order also then.
	Relaxed bool
}

// Text returns a field of text; nil if absent.
func (f Fields) Text(name string) []byte {
	text, _ := f[name].(Text)
	return text
}

// String returns a field; "" if absent.
func (f Fields) String(name string) string {
	s, _ := f[name].(string)
	return s
}

// Int returns a field; 0 if absent.
func (f Fields) Int(name string) int64 {
	n, _ := f[name].(int64)
	return n
}

// Bytes returns a field; nil if absent.
func (f Fields) Bytes(name string) []byte {
	b, _ := f[name].([]byte)
	return b
}

// Time returns what [Nanos] made; the zero time if absent.
func (f Fields) Time(name string) time.Time {
	n := f.Int(name)
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// Nanos is a time as a field: nanoseconds since 1970, 0 for the zero time.
func Nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// Compact returns the fields that are stored: those that are not zero.
func (f Fields) Compact() Fields {
	kept := make(Fields, len(f))
	for name, v := range f {
		if !zero(v) {
			kept[name] = v
		}
	}
	return kept
}

// Merged returns the item with the fields that it keeps of the old one; see
// [How].
func (it Item) Merged(old Item, keep []string) Item {
	if len(keep) == 0 {
		return it
	}
	fields := old.Fields.Compact()
	for name, v := range it.Fields {
		if _, has := fields[name]; !has || !slices.Contains(keep, name) {
			fields[name] = v
		}
	}
	it.Fields = fields.Compact()
	return it
}

func zero(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case int64:
		return v == 0
	case []byte:
		return len(v) == 0
	case Text:
		return len(v) == 0
	}
	return v == nil
}
