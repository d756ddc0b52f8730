package liquid

import (
	"math"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// Text returns what an output of v prints: nothing for null, the items of an array one after the other,
// and an object as Ruby writes it, {"a"=>1}. Use [Value.AppendJSON] for data that machines read.
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

// string writes v as filters see it when they want a string: an array as ["a", "b"].
func (w *writer) string(v Value) {
	switch v.kind {
	case kindString:
		w.add(v.str)
	case kindArray, kindObject:
		w.inspect(v)
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

// inspect writes v as Ruby shows it to programmers.
func (w *writer) inspect(v Value) {
	switch v.kind {
	case kindNull:
		w.add("nil")
	case kindString:
		w.inspectString(v.str)
	case kindArray:
		w.add("[")
		for i, item := range v.items() {
			if i > 0 {
				w.add(", ")
			}
			if w.inspect(item); w.err != nil {
				return
			}
		}
		w.add("]")
	case kindObject:
		w.inspectObject(v.object())
	default:
		w.string(v)
	}
}

func (w *writer) inspectObject(o *object) {
	w.add("{")
	for i, key := range o.keys {
		if i > 0 {
			w.add(", ")
		}
		w.inspectString(key)
		w.add("=>")
		if w.inspect(o.values[i]); w.err != nil {
			return
		}
	}
	w.add("}")
}

var inspectEscapes = map[rune]string{
	'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\f': `\f`, '\v': `\v`, '\b': `\b`, '\a': `\a`, 0x1b: `\e`,
}

func (w *writer) inspectString(s string) {
	w.add(`"`)
	for i, r := range s {
		n := max(1, utf8.RuneLen(r))
		switch short := inspectEscapes[r]; {
		case short != "":
			w.add(short)
		case r == '#' && i+1 < len(s) && (s[i+1] == '{' || s[i+1] == '$' || s[i+1] == '@'):
			w.add(`\#`)
		case r == utf8.RuneError, unicode.IsPrint(r):
			w.add(s[i:min(len(s), i+n)])
		default:
			w.add(`\u` + string(appendHex(nil, r)))
		}
		if w.err != nil {
			return
		}
	}
	w.add(`"`)
}

func appendHex(dst []byte, r rune) []byte {
	text := strconv.FormatInt(int64(r), 16)
	if r > 0xffff {
		return append(append(append(dst, '{'), text...), '}')
	}
	for i := len(text); i < 4; i++ {
		dst = append(dst, '0')
	}
	return append(dst, text...)
}
