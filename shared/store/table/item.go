package table

import "time"

// Item is what is stored under a key: named fields, at most 400 KB together.
type Item struct {
	Key
	Fields Fields
	// Expires is when the item has had its time, in whole seconds; zero means
	// never. It may be removed from then on, at any time: whoever must not see it
	// compares.
	Expires time.Time
	// Index is where the indexes 1 and 2 have the item, each in a partition and
	// under a sort key of its own; without a key, an index does not have it. No two
	// items have the same key in an index. An index lags behind the table, and tells
	// an item's key and its place there, but not all of its fields: Get reads those.
	Index [Indexes]Key
}

// Indexes is how many a table has.
const Indexes = 2

// Fields are values by name: string, int64, []byte, or [Text]. A zero value is
// not stored, and reads as absent. Names are short because DynamoDB bills them.
// The names pk, sk, k, gsi… and expires are taken, and none ends with "_".
type Fields map[string]any

// Text is UTF-8 or any other bytes that an adapter may compress.
type Text []byte

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

// Changed returns the item as the change makes it, for adapters that read
// before they write.
func (it Item) Changed(c Change) Item {
	fields := it.Fields.Compact()
	for name, v := range c.Default {
		if _, has := fields[name]; !has {
			fields[name] = v
		}
	}
	for name, v := range c.Set {
		fields[name] = v
	}
	for name, n := range c.Add {
		fields[name] = fields.Int(name) + n
	}
	it.Fields = fields.Compact()
	if !c.Expires.IsZero() {
		it.Expires = c.Expires
	}
	for i, unlisted := range c.Unlist {
		if unlisted {
			it.Index[i] = Key{}
		}
	}
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
