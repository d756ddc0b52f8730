package pattern

import (
	"slices"
	"sort"
	"strings"
)

// An affixList is many beginnings of strings, or many ends. What begins with another one of the list is left out, so
// at most one of them is at the edge of a string, and it is found by halving.
type affixList struct {
	ends   bool     // they are ends, and stand here reversed
	lower  bool     // they and the strings are compared with ASCII letters lowered
	texts  []string // rising
	most   int      // bytes of the longest
	quoted map[string]struct{}
}

// newAffixList reads the operands of prefixes, suffixes or wildcards with one star.
func newAffixList(tests []test, ends, lower bool) *affixList {
	a := &affixList{ends: ends, lower: lower}
	for _, t := range tests {
		text := t.text
		if t.op == opWildcard {
			text = t.affix().text
		}
		text = asciiLowerIf(lower, text)
		if ends {
			text = reversed(text)
		}
		a.texts = append(a.texts, text)
	}
	slices.Sort(a.texts)
	last := -1
	a.texts = slices.Clip(slices.DeleteFunc(a.texts, func(text string) bool {
		if last >= 0 && strings.HasPrefix(text, a.texts[last]) {
			return true
		}
		last++ // DeleteFunc moves what is kept to the front, in order
		return false
	}))
	for _, text := range a.texts {
		a.most = max(a.most, len(text))
		if whole, ok := strings.CutSuffix(text, `"`); ok { // see "Inherited oddities" in the package comment
			if a.quoted == nil {
				a.quoted = map[string]struct{}{}
			}
			a.quoted[whole] = struct{}{}
		}
	}
	return a
}

func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

// holds says whether s begins, or ends, as one of the list.
func (a *affixList) holds(s string) bool {
	part := s[:min(len(s), a.most)]
	if a.ends {
		part = s[len(s)-len(part):]
	}
	part = asciiLowerIf(a.lower, part)
	i := sort.Search(len(a.texts), func(i int) bool { return a.order(a.texts[i], part) > 0 })
	if i > 0 && a.begins(part, a.texts[i-1]) {
		return true
	}
	if a.quoted == nil || len(s) > len(part) {
		return false
	}
	if a.ends {
		part = reversed(part)
	}
	_, ok := a.quoted[part]
	return ok
}

// order compares one of the list with part as it would stand in the list.
func (a *affixList) order(text, part string) int {
	if !a.ends {
		return strings.Compare(text, part)
	}
	for i := range min(len(text), len(part)) {
		if c := int(text[i]) - int(part[len(part)-1-i]); c != 0 {
			return c
		}
	}
	return len(text) - len(part)
}

// begins says whether part has text at its edge.
func (a *affixList) begins(part, text string) bool {
	if len(text) > len(part) {
		return false
	}
	if !a.ends {
		return part[:len(text)] == text
	}
	return a.order(text, part[len(part)-len(text):]) == 0
}

// edge returns the i-th of the list as it is written, lowered if the list is.
func (a *affixList) edge(i int) string {
	if a.ends {
		return reversed(a.texts[i])
	}
	return a.texts[i]
}
