package liquid

import (
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendQuoted appends s as a JSON string. Only what must be is escaped; bytes that are not UTF-8 become U+FFFD.
func AppendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
		}
		dst = appendEscape(append(dst, s[start:i]...), c)
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

var shortEscapes = [256]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`}

// escapeGrowth is how much longer a byte gets in a JSON string, at most.
var escapeGrowth [256]int

func init() {
	for c := range escapeGrowth {
		switch {
		case c >= utf8.RuneSelf:
			escapeGrowth[c] = 2 // if it has to become U+FFFD
		case shortEscapes[c] != "":
			escapeGrowth[c] = 1
		case c < ' ':
			escapeGrowth[c] = 5
		}
	}
}

func appendEscape(dst []byte, c byte) []byte {
	if c >= utf8.RuneSelf {
		return append(dst, "\uFFFD"...)
	}
	if short := shortEscapes[c]; short != "" {
		return append(dst, short...)
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
