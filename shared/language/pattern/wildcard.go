package pattern

import "strings"

// maxStars is how many * one wildcard may have.
const maxStars = 32

// wildcardFault says what is wrong with a wildcard, "" if nothing is.
func wildcardFault(w string) string {
	stars := 0
	for i := 0; i < len(w); i++ {
		switch w[i] {
		case '*':
			if stars++; i > 0 && w[i-1] == '*' && !escapedAt(w, i-1) {
				return "want no two * in a row"
			}
		case '\\':
			if i++; i == len(w) || w[i] != '*' && w[i] != '\\' {
				return `want * or \ after a \`
			}
		}
	}
	if stars > maxStars {
		return "too complex: want at most 32 *"
	}
	return ""
}

// escapedAt says whether the byte at i follows an odd number of backslashes.
func escapedAt(w string, i int) bool {
	n := 0
	for n < i && w[i-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// star returns the position of the first * in w that stands for anything, or -1.
func star(w string) int {
	for i := 0; i < len(w); i++ {
		switch w[i] {
		case '\\':
			i++
		case '*':
			return i
		}
	}
	return -1
}

var unescapeWildcard = strings.NewReplacer(`\*`, `*`, `\\`, `\`)

// literal returns a part of a wildcard between stars as the text it stands for.
func literal(part string) string {
	if strings.IndexByte(part, '\\') < 0 {
		return part
	}
	return unescapeWildcard.Replace(part)
}

// wildcardMatches says whether w, which has no fault, stands for s. Time is in proportion to the two lengths
// multiplied, at worst: parts between stars are found from left to right and never reconsidered.
func wildcardMatches(w, s string) bool {
	at := star(w)
	if at < 0 {
		return s == literal(w)
	}
	s, ok := strings.CutPrefix(s, literal(w[:at]))
	for w = w[at+1:]; ok; w = w[at+1:] {
		if at = star(w); at < 0 {
			return strings.HasSuffix(s, literal(w))
		}
		_, s, ok = strings.Cut(s, literal(w[:at]))
	}
	return false
}

// wildcardEnds returns the literal text before the first and after the last star; whole if there is no star.
func wildcardEnds(w string) (head, tail string, whole bool) {
	at := star(w)
	if at < 0 {
		return literal(w), "", true
	}
	head = literal(w[:at])
	for at >= 0 {
		w = w[at+1:]
		at = star(w)
	}
	return head, literal(w), false
}
