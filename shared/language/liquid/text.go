package liquid

import (
	"math"
	"strconv"
)

// Text returns what an output of v prints: nothing for null, the items of an array one after the other,
// and an object as JSON.
func (v Value) Text() string {
	if v.kind == kindString {
		return v.str
	}
	w := writer{}
	w.text(v)
	text, _ := w.done()
	return text
}

// text writes what an output prints.
func (w *writer) text(v Value) {
	switch v.kind {
	case kindString:
		w.add(v.str)
	case kindArray:
		for _, item := range v.items() {
			if w.text(item); w.err != nil {
				return
			}
		}
	default:
		w.string(v)
	}
}

// string writes v as filters see it when they want a string: arrays and objects as JSON on one line.
func (w *writer) string(v Value) {
	switch v.kind {
	case kindString:
		w.add(v.str)
	case kindArray, kindObject:
		w.json(v)
	default:
		if w.room(len(v.str)+24) && !w.count {
			w.buf = appendScalar(w.buf, v)
		}
	}
}

// appendScalar appends the text of anything but strings, arrays and objects.
func appendScalar(dst []byte, v Value) []byte {
	switch v.kind {
	case kindBool:
		return strconv.AppendBool(dst, v.num != 0)
	case kindInt:
		if v.str != "" {
			return append(dst, v.str...)
		}
		return strconv.AppendInt(dst, v.num, 10)
	case kindBig:
		return append(dst, v.str...)
	case kindFloat:
		if v.str != "" {
			return append(dst, v.str...)
		}
		return appendFloat(dst, v.float())
	case kindRange:
		first, last := v.span()
		dst = append(strconv.AppendInt(dst, first, 10), ".."...)
		return strconv.AppendInt(dst, last, 10)
	case kindForLoop:
		return append(dst, "Liquid::ForloopDrop"...)
	case kindTableLoop:
		return append(dst, "Liquid::TablerowloopDrop"...)
	}
	return dst
}

// appendFloat appends the shortest text that reads back as f, always with a point: 8.0, 1.0e+20.
func appendFloat(dst []byte, f float64) []byte {
	size := math.Abs(f)
	if size != 0 && (size < 1e-4 || size >= 1e16) {
		return appendScientific(dst, f)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	for _, c := range dst[start:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, ".0"...)
}

func appendScientific(dst []byte, f float64) []byte {
	var digits [32]byte
	text := strconv.AppendFloat(digits[:0], f, 'e', -1, 64)
	for i, c := range text {
		if c == '.' {
			return append(dst, text...)
		}
		if c == 'e' {
			dst = append(append(dst, text[:i]...), ".0"...)
			return append(dst, text[i:]...)
		}
	}
	return append(dst, text...)
}

// identity writes v so that two values are alike exactly if uniq takes them for one: 1, 1.0 and "1" are three, a
// string is one however its JSON was escaped.
func (w *writer) identity(v Value) {
	switch v.kind {
	case kindNull:
		w.add("null")
	case kindString:
		w.jsonString(String(v.str))
	case kindArray:
		w.add("[")
		for _, item := range v.items() {
			if w.identity(item); w.err != nil {
				return
			}
			w.add(",")
		}
		w.add("]")
	case kindObject:
		w.identities(v.object())
	default:
		w.string(v)
	}
}

func (w *writer) identities(o *object) {
	w.add("{")
	for i, key := range o.keys {
		w.jsonString(String(key))
		w.add(":")
		if w.identity(o.values[i]); w.err != nil {
			return
		}
		w.add(",")
	}
	w.add("}")
}
