package message

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// The hot messages, events and first attempts, are written field by field in a
// fixed order: JSON took a twentieth of all processor time.

func appendText(b []byte, text string) []byte {
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}

func appendTime(b []byte, t time.Time) []byte {
	b = binary.AppendVarint(b, t.Unix())
	return binary.AppendUvarint(b, uint64(t.Nanosecond()))
}

// appendJSON appends v as a part, or an empty part if it says nothing.
func appendJSON(b []byte, v any, empty bool) []byte {
	if empty {
		return append(b, 0)
	}
	return appendPart(b, mustJSON(v))
}

// fields reads what was appended, until the first error.
type fields struct {
	rest []byte
	err  error
}

// part returns the next part, which shares the message's memory; nil if it is
// empty.
func (f *fields) part() []byte {
	if f.err != nil {
		return nil
	}
	var part []byte
	part, f.rest, f.err = cutPart(f.rest)
	if len(part) == 0 {
		return nil
	}
	return part
}

func (f *fields) text() string { return string(f.part()) }

func (f *fields) number() int64 {
	if f.err != nil {
		return 0
	}
	n, w := binary.Varint(f.rest)
	if w <= 0 {
		f.err = ErrMalformed
		return 0
	}
	f.rest = f.rest[w:]
	return n
}

func (f *fields) count() uint64 {
	if f.err != nil {
		return 0
	}
	n, w := binary.Uvarint(f.rest)
	if w <= 0 {
		f.err = ErrMalformed
		return 0
	}
	f.rest = f.rest[w:]
	return n
}

// place reads a number that has 31 bits.
func (f *fields) place() int {
	n := f.count()
	if n > math.MaxInt32 {
		f.err = ErrMalformed
		return 0
	}
	return int(n)
}

// order reads an event's order, which has 32 bits.
func (f *fields) order() uint32 {
	n := f.count()
	if n > math.MaxUint32 {
		f.err = ErrMalformed
	}
	return uint32(n)
}

// octet reads one byte.
func (f *fields) octet() (b byte) {
	if f.err == nil && len(f.rest) == 0 {
		f.err = ErrMalformed
	}
	if f.err == nil {
		b, f.rest = f.rest[0], f.rest[1:]
	}
	return b
}

// time reads a time; what no clock shows is malformed.
func (f *fields) time() time.Time {
	const lastSecond = 253402300799 // of the year 9999
	seconds, nanos := f.number(), f.count()
	if seconds < -62135596800 || seconds > lastSecond || nanos >= 1e9 {
		f.err = ErrMalformed
		return time.Time{}
	}
	return time.Unix(seconds, int64(nanos)).UTC()
}

// json reads a part into v, which stays as it is if the part is empty.
func (f *fields) json(v any) {
	part := f.part()
	if part == nil || f.err != nil {
		return
	}
	if err := json.Unmarshal(part, v); err != nil {
		f.err = fmt.Errorf("%w: %w", ErrMalformed, err)
	}
}

// appendPart appends a length and the bytes.
func appendPart(b, part []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(part)))
	return append(b, part...)
}

// cutPart takes one part off the front of b. The part shares b's memory.
func cutPart(b []byte) (part, rest []byte, err error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return nil, nil, ErrMalformed
	}
	return b[w : w+int(n) : w+int(n)], b[w+int(n):], nil
}

// mustJSON marshals one of our own structs, which cannot fail.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("message: " + err.Error())
	}
	return b
}
