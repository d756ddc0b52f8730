package pattern

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// caseForms returns the two ways in which equals-ignore-case lets the character r of a pattern be written. They
// come from the pattern's character alone: "ß" is met by "ß" and "SS", but "SS" not by "ß". A character that is
// neither form of itself (titlecase "ǅ") does not meet itself. event-ruler does the same.
func caseForms(r rune) (lower, upper string) {
	switch r {
	case 'İ':
		return "i\u0307", "İ"
	}
	if wide, ok := wideUpper[r]; ok {
		return string(unicode.ToLower(r)), wide
	}
	return string(unicode.ToLower(r)), string(unicode.ToUpper(r))
}

// asciiForms are caseForms of an ASCII character.
func asciiForms(c byte) (lower, upper byte) {
	switch {
	case c >= 'A' && c <= 'Z':
		return c + 'a' - 'A', c
	case c >= 'a' && c <= 'z':
		return c, c - ('a' - 'A')
	}
	return c, c
}

// foldPrefix removes from the front of s what meets fold ignoring case.
func foldPrefix(s, fold string) (rest string, ok bool) {
	for i := 0; i < len(fold); {
		if c := fold[i]; c < utf8.RuneSelf {
			lower, upper := asciiForms(c)
			if s == "" || s[0] != lower && s[0] != upper {
				return s, false
			}
			s = s[1:]
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(fold[i:])
		lower, upper := caseForms(r)
		if s, ok = strings.CutPrefix(s, lower); !ok {
			if s, ok = strings.CutPrefix(s, upper); !ok {
				return s, false
			}
		}
		i += size
	}
	return s, true
}

// foldSuffix removes from the end of s what meets fold ignoring case.
func foldSuffix(s, fold string) (rest string, ok bool) {
	for fold != "" {
		r, size := utf8.DecodeLastRuneInString(fold)
		fold = fold[:len(fold)-size]
		lower, upper := caseForms(r)
		if s, ok = strings.CutSuffix(s, lower); !ok {
			if s, ok = strings.CutSuffix(s, upper); !ok {
				return s, false
			}
		}
	}
	return s, true
}

// asciiHead returns how many bytes at the front of fold are ASCII. Only the same bytes, in either case, meet them.
func asciiHead(fold string) int {
	i := 0
	for i < len(fold) && fold[i] < utf8.RuneSelf {
		i++
	}
	return i
}

// asciiTail returns how many bytes at the end of fold are ASCII.
func asciiTail(fold string) int {
	i := len(fold)
	for i > 0 && fold[i-1] < utf8.RuneSelf {
		i--
	}
	return len(fold) - i
}

// asciiLower lowers ASCII letters and leaves all other bytes.
func asciiLower(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for j, c := range b {
				b[j], _ = asciiForms(c)
			}
			return string(b)
		}
	}
	return s
}
