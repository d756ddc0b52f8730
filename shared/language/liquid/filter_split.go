package liquid

import (
	"strings"
	"unicode/utf8"
)

func split(r *run, in Value, args []Value) (Value, error) {
	s, separator, _, err := r.texts(in, args)
	if err != nil {
		return Null, err
	}
	if err := r.budget.reading(len(s)); err != nil {
		return Null, err
	}
	var n int
	switch separator {
	case " ":
		n = countFields(s)
	case "":
		n = utf8.RuneCountInString(s)
	default:
		n = strings.Count(s, separator) + 1
	}
	if err := r.makeItems(n * 4 / 3); err != nil { // the parts and the values that hold them
		return Null, err
	}
	return Array(parts(s, separator, n)...), nil
}

// isSpace knows what a text is split at: Ruby's space characters.
func isSpace(c rune) bool {
	return c < utf8.RuneSelf && c > 0 && strings.IndexByte(spaces, byte(c)) >= 0
}

func countFields(s string) int {
	n, in := 0, false
	for _, c := range s {
		if space := isSpace(c); space == in {
			in = !space
			if in {
				n++
			}
		}
	}
	return n
}

// parts splits s; empty parts at its end are dropped.
func parts(s, separator string, n int) []Value {
	items := make([]Value, 0, n)
	switch separator {
	case " ":
		for field := range strings.FieldsFuncSeq(s, isSpace) {
			items = append(items, String(field))
		}
	case "":
		for s != "" {
			_, size := utf8.DecodeRuneInString(s)
			items = append(items, String(s[:size]))
			s = s[size:]
		}
	default:
		for part := range strings.SplitSeq(s, separator) {
			items = append(items, String(part))
		}
	}
	for len(items) > 0 && items[len(items)-1].str == "" {
		items = items[:len(items)-1]
	}
	return items
}
