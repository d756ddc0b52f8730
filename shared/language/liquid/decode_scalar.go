package liquid

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

func (d *decoder) text() (Value, error) {
	start := d.pos
	for d.pos++; d.pos < len(d.src); d.pos++ {
		switch c := d.src[d.pos]; {
		case c == '"':
			d.pos++
			return String(d.src[start+1 : d.pos-1]), nil
		case c == '\\':
			return d.escaped(start)
		case c < ' ':
			return Null, d.fault("a control character in a string")
		}
	}
	return Null, d.fault("a string is not closed")
}

// escaped reads on in a string that began at start, from its first backslash.
func (d *decoder) escaped(start int) (Value, error) {
	text := []byte(d.src[start+1 : d.pos])
	for d.pos < len(d.src) {
		c := d.src[d.pos]
		d.pos++
		switch {
		case c == '"':
			return Value{kind: kindString, str: string(text), ref: written(d.src[start:d.pos])}, nil
		case c < ' ':
			return Null, d.fault("a control character in a string")
		case c != '\\':
			text = append(text, c)
		default:
			r, ok := d.escape()
			if !ok {
				return Null, d.fault("a wrong escape in a string")
			}
			text = utf8.AppendRune(text, r)
		}
	}
	return Null, d.fault("a string is not closed")
}

const (
	escapeLetters = `"\/bfnrt`
	escapeMeaning = "\"\\/\b\f\n\r\t"
)

// escape reads what follows a backslash.
func (d *decoder) escape() (rune, bool) {
	if d.pos >= len(d.src) {
		return 0, false
	}
	c := d.src[d.pos]
	d.pos++
	if i := strings.IndexByte(escapeLetters, c); i >= 0 {
		return rune(escapeMeaning[i]), true
	}
	if c != 'u' {
		return 0, false
	}
	r, ok := d.hex()
	if !ok || !utf16.IsSurrogate(r) {
		return r, ok
	}
	if !d.take('\\') || !d.take('u') {
		return 0, false
	}
	low, ok := d.hex()
	r = utf16.DecodeRune(r, low)
	return r, ok && r != utf8.RuneError
}

func (d *decoder) hex() (rune, bool) {
	if len(d.src) < d.pos+4 {
		return 0, false
	}
	var r rune
	for _, c := range []byte(d.src[d.pos : d.pos+4]) {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	d.pos += 4
	return r, true
}

func (d *decoder) number() (Value, error) {
	start := d.pos
	d.take('-')
	if !d.take('0') && d.digits() == 0 {
		return Null, d.fault("want a digit")
	}
	whole := true
	if d.take('.') {
		if whole = false; d.digits() == 0 {
			return Null, d.fault("want a digit")
		}
	}
	if d.take('e') || d.take('E') {
		if !d.take('+') {
			d.take('-')
		}
		if whole = false; d.digits() == 0 {
			return Null, d.fault("want a digit")
		}
	}
	return numberFrom(d.src[start:d.pos], whole), nil
}

func (d *decoder) digits() int {
	start := d.pos
	for d.pos < len(d.src) && d.src[d.pos] >= '0' && d.src[d.pos] <= '9' {
		d.pos++
	}
	return d.pos - start
}

// numberFrom makes the value of a number as JSON writes them.
func numberFrom(text string, whole bool) Value {
	if !whole {
		f, _ := strconv.ParseFloat(text, 64) // out of range: infinite, which arithmetic refuses
		v := float(f)
		v.str = text
		return v
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return Value{kind: kindInt, num: n, str: text}
	}
	return Value{kind: kindBig, str: text}
}
