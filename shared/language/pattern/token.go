package pattern

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// number reads a number as RFC 8259 writes it.
func (p *parser) number() (int32, *Error) {
	from := p.at
	if p.text[p.at] == '-' {
		p.at++
	}
	if p.at < len(p.text) && p.text[p.at] == '0' {
		p.at++
	} else if !p.digits() {
		return 0, p.unexpected()
	}
	if p.at < len(p.text) && p.text[p.at] == '.' {
		if p.at++; !p.digits() {
			return 0, p.unexpected()
		}
	}
	if p.at < len(p.text) && p.text[p.at]|0x20 == 'e' {
		if p.at++; p.at < len(p.text) && (p.text[p.at] == '+' || p.text[p.at] == '-') {
			p.at++
		}
		if !p.digits() {
			return 0, p.unexpected()
		}
	}
	raw := p.text[from:p.at]
	num, ok := comparable64(raw)
	return p.add(node{kind: Number, num: num, comparable: ok, text: raw, raw: raw}, nil), nil
}

// digits skips digits and says whether there was one.
func (p *parser) digits() bool {
	from := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	return p.at > from
}

// str reads a string, whose quote is next.
func (p *parser) str() (string, *Error) {
	p.at++
	for from := p.at; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			s := p.text[from:p.at]
			p.at++
			if !utf8.ValidString(s) {
				return "", p.fault("a string is not valid UTF-8")
			}
			return s, nil
		case c == '\\':
			return p.escaped(from)
		case c < 0x20:
			return "", p.unexpected()
		}
	}
	return "", p.unexpected()
}

// escaped reads the rest of a string that began at from and has an escape here.
func (p *parser) escaped(from int) (string, *Error) {
	b := []byte(p.text[from:p.at])
	for p.at < len(p.text) {
		c := p.text[p.at]
		switch {
		case c == '"':
			p.at++
			if !utf8.Valid(b) {
				return "", p.fault("a string is not valid UTF-8")
			}
			return string(b), nil
		case c < 0x20:
			return "", p.unexpected()
		case c != '\\':
			b = append(b, c)
			p.at++
		default:
			var err *Error
			if b, err = p.escape(b); err != nil {
				return "", err
			}
		}
	}
	return "", p.unexpected()
}

const (
	escapes    = `"\/bfnrt`
	unescapeds = "\"\\/\b\f\n\r\t"
)

// escape appends what the escape here stands for.
func (p *parser) escape(b []byte) ([]byte, *Error) {
	if p.at++; p.at >= len(p.text) {
		return nil, p.unexpected()
	}
	if i := strings.IndexByte(escapes, p.text[p.at]); i >= 0 {
		p.at++
		return append(b, unescapeds[i]), nil
	}
	r, ok := p.hex()
	if !ok {
		return nil, p.unexpected()
	}
	if r < 0xD800 || r > 0xDFFF {
		return utf8.AppendRune(b, r), nil
	}
	if low, ok := p.lowSurrogate(); ok && r < 0xDC00 {
		return utf8.AppendRune(b, (r-0xD800)<<10+(low-0xDC00)+0x10000), nil
	}
	return nil, p.fault("a string has half of a surrogate pair")
}

// hex reads uXXXX.
func (p *parser) hex() (rune, bool) {
	if p.at+5 > len(p.text) || p.text[p.at] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(p.text[p.at+1:p.at+5], 16, 16)
	if err != nil {
		return 0, false
	}
	p.at += 5
	return rune(n), true
}

func (p *parser) lowSurrogate() (rune, bool) {
	if p.at >= len(p.text) || p.text[p.at] != '\\' {
		return 0, false
	}
	p.at++
	r, ok := p.hex()
	return r, ok && r >= 0xDC00 && r <= 0xDFFF
}
