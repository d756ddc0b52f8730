package localtable

import (
	"encoding/binary"
	"time"

	"github.com/postino/postino/shared/store/table"
)

// An item is encoded as: its expiry in seconds, 0 for none; its keys in the
// indexes, each two texts, empty for none; then its fields, each a name whose
// length is doubled twice and has the kind of the value in the two bits below,
// and the value. Numbers are varints; texts and bytes have their length before
// them. Fields stand in no order.

// Kinds of values.
const (
	kindString = iota
	kindNumber
	kindBytes
	kindText
)

// encode writes an item without its key.
func encode(it table.Item) []byte {
	b := make([]byte, 0, size(it))
	seconds := int64(0)
	if !it.Expires.IsZero() {
		seconds = it.Expires.Unix()
	}
	b = binary.AppendVarint(b, seconds)
	for _, k := range it.Index {
		b = appendText(b, k.Partition)
		b = appendText(b, k.Sort)
	}
	for name, v := range it.Fields {
		switch v := v.(type) {
		case string:
			if v != "" {
				b = appendText(appendName(b, name, kindString), v)
			}
		case int64:
			if v != 0 {
				b = binary.AppendVarint(appendName(b, name, kindNumber), v)
			}
		case []byte:
			if len(v) > 0 {
				b = appendText(appendName(b, name, kindBytes), v)
			}
		case table.Text:
			if len(v) > 0 {
				b = appendText(appendName(b, name, kindText), v)
			}
		}
	}
	return b
}

// size is about what encode needs.
func size(it table.Item) int {
	n := 16
	for _, k := range it.Index {
		n += len(k.Partition) + len(k.Sort) + 4
	}
	for name, v := range it.Fields {
		n += len(name) + 12
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		case table.Text:
			n += len(v)
		}
	}
	return n
}

func appendText[T ~string | ~[]byte](b []byte, text T) []byte {
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}

func appendName(b []byte, name string, kind uint64) []byte {
	b = binary.AppendUvarint(b, uint64(len(name))<<2|kind)
	return append(b, name...)
}

// decode reads what encode wrote. It keeps nothing of value.
func decode(key table.Key, value []byte) (it table.Item, err error) {
	r := reader{rest: value}
	it.Key, it.Fields = key, table.Fields{}
	if seconds := r.number(); seconds != 0 {
		it.Expires = time.Unix(seconds, 0).UTC()
	}
	for i := range it.Index {
		it.Index[i] = table.Key{Partition: string(r.bytes(0)), Sort: string(r.bytes(0))}
	}
	for len(r.rest) > 0 && !r.bad {
		r.field(it.Fields)
	}
	if r.bad {
		return table.Item{}, errItem
	}
	return it, nil
}

// reader reads an encoded item.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) field(to table.Fields) {
	var kind uint64
	name := string(r.named(&kind))
	switch kind {
	case kindString:
		to[name] = string(r.bytes(0))
	case kindNumber:
		to[name] = r.number()
	case kindBytes:
		to[name] = append([]byte(nil), r.bytes(0)...)
	case kindText:
		to[name] = table.Text(append([]byte(nil), r.bytes(0)...))
	}
}

func (r *reader) number() int64 {
	n, used := binary.Varint(r.rest)
	r.skip(used)
	return n
}

// bytes reads a length, of which the lowest bits are something else, and as many
// bytes.
func (r *reader) bytes(bits uint) []byte {
	n, used := binary.Uvarint(r.rest)
	r.skip(used)
	if n >>= bits; n > uint64(len(r.rest)) {
		r.bad = true
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// named reads a name and the kind of the value.
func (r *reader) named(kind *uint64) []byte {
	n, _ := binary.Uvarint(r.rest)
	*kind = n & 3
	return r.bytes(2)
}

func (r *reader) skip(used int) {
	if used <= 0 {
		r.bad, r.rest = true, nil
		return
	}
	r.rest = r.rest[used:]
}
