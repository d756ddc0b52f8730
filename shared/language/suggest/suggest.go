// Package suggest finds the known word that is closest to a mistyped one.
package suggest

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxWord bounds the work on a word that a stranger chose, in bytes. It is as
// long as our longest names are.
const maxWord = 64

// Nearest returns the known word that word was most likely meant to be, and
// false if none is near. Letters that differ in case, and - for _, count for
// nothing; one letter that is missing, too many, another or swapped with its
// neighbour counts one. Up to a third of the letters may be wrong, three at
// most; of words that are equally near, the first wins. It does not return word
// itself. The work grows with the number of known words: some 5 µs each.
func Nearest(word string, known []string) (string, bool) {
	if len(word) > maxWord || !utf8.ValidString(word) {
		return "", false
	}
	folded := fold(word)
	limit := min(len(folded)/3, 3)
	best, found := "", false
	for _, k := range known {
		if k == word || len(k) > maxWord {
			continue
		}
		if d := distance(folded, fold(k), limit); d <= limit {
			best, found, limit = k, true, d-1
		}
		if limit < 0 {
			break
		}
	}
	return best, found
}

// Hint is the end of a message about an unknown word: `; did you mean "types"?`,
// or "" if no known word is near.
func Hint(word string, known []string) string {
	if near, ok := Nearest(word, known); ok {
		return "; did you mean " + strconv.Quote(near) + "?"
	}
	return ""
}

func fold(s string) []rune {
	return []rune(strings.ReplaceAll(strings.ToLower(s), "-", "_"))
}

// distance counts the edits from a to b, two neighbours that are swapped as
// one (optimal string alignment). Beyond limit it may return any larger number.
func distance(a, b []rune, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
