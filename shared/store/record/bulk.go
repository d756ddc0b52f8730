package record

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"
)

// bulk is the part of a record that no condition tests: its fields in a fixed
// order, which takes a tenth of the time that JSON takes. A field that is new comes
// last: in what was written before, it reads as zero.
type bulk []byte

func (b bulk) text(s string) bulk  { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }
func (b bulk) number(n int64) bulk { return binary.AppendVarint(b, n) }

func (b bulk) flag(is bool) bulk {
	if is {
		return append(b, 1)
	}
	return append(b, 0)
}

// time writes any time but its zone; the zero time takes one byte.
func (b bulk) time(t time.Time) bulk {
	if t.IsZero() {
		return append(b, 0)
	}
	return binary.AppendVarint(binary.AppendUvarint(b, uint64(t.Nanosecond())+1), t.Unix())
}

func (b bulk) texts(list []string) bulk {
	b = b.number(int64(len(list)))
	for _, s := range list {
		b = b.text(s)
	}
	return b
}

var errBulk = errors.New("stored record is not what we wrote")

// fields reads a bulk. All its texts share one copy of it.
type fields struct {
	rest string
	bad  bool
}

func (f *fields) count() uint64 {
	n, shift := uint64(0), 0
	for i := range len(f.rest) {
		c := f.rest[i]
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			f.rest = f.rest[i+1:]
			return n
		}
		if shift += 7; shift > 63 {
			break
		}
	}
	f.bad = f.bad || f.rest != ""
	f.rest = ""
	return 0
}

func (f *fields) number() int64 {
	n := f.count()
	return int64(n>>1) ^ -int64(n&1)
}

func (f *fields) text() string {
	n := f.count()
	if n > uint64(len(f.rest)) {
		f.bad, f.rest = true, ""
		return ""
	}
	s := f.rest[:n]
	f.rest = f.rest[n:]
	return s
}

// length reads how many entries follow, each of a byte at least.
func (f *fields) length() int {
	n := f.number()
	if n < 0 || n > int64(len(f.rest)) {
		f.bad = true
		return 0
	}
	return int(n)
}

func (f *fields) texts() (list []string) {
	if n := f.length(); n > 0 {
		list = make([]string, n)
	}
	for i := range list {
		list[i] = f.text()
	}
	return list
}

// json reads a text of JSON; nil if it is empty.
func (f *fields) json() json.RawMessage {
	if text := f.text(); text != "" {
		return json.RawMessage(text)
	}
	return nil
}

func (f *fields) flag() bool { return f.count() != 0 }

func (f *fields) time() time.Time {
	nanos := f.count()
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(f.number(), int64(nanos-1)).UTC()
}

// err reports whether the bulk was whole.
func (f *fields) err() error {
	if f.bad {
		return errBulk
	}
	return nil
}
