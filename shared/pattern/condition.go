package pattern

import "strings"

// A condition is what a pattern wants of one field: any of its tests.
type condition struct {
	tests   []test
	absent  bool // one of them is exists: false
	numeric bool // one of them compares numbers
}

// size is how many tests there are at most for one value.
func (c *condition) size() int {
	n := 1
	for i := range c.tests {
		n += 1 + len(c.tests[i].inner)
	}
	return n
}

// A test is one way to meet a condition.
type test struct {
	op     op
	text   string // the operand of the text operators
	set    *sets
	span   *span
	digits digitRange
	inner  []test // of opBut: what the value must not meet
}

type op uint8

const (
	opText       op = iota // a string, exactly
	opTexts                // one of many strings
	opNumber               // a number, exactly
	opNumbers              // one of many numbers
	opLiteral              // true, false, null
	opPrefix               //
	opSuffix               //
	opWildcard             // text as written
	opFold                 // equals-ignore-case
	opFoldPrefix           // prefix with equals-ignore-case
	opFoldSuffix           // suffix with equals-ignore-case
	opRange                // numbers between
	opDigits               // addresses between
	opAddresses            // one of many addresses
	opExists               // any value
	opBut                  // anything but
)

// sets hold the operands of opTexts, opNumbers and opAddresses.
type sets struct {
	texts     map[string]struct{}
	numbers   map[float64]struct{}
	addresses map[string]struct{} // digits
}

// A span is a range of numbers; numbers beyond a float64 are in none.
type span struct {
	lo, hi         float64
	openLo, openHi bool
}

func (s *span) holds(f float64) bool {
	return (f > s.lo || f == s.lo && !s.openLo) && (f < s.hi || f == s.hi && !s.openHi)
}

// matches says whether a value that is neither object nor array meets c.
func (c *condition) matches(v *node) bool {
	for i := range c.tests {
		if c.tests[i].matches(v, c.numeric) {
			return true
		}
	}
	return false
}

// matches says whether v meets the test. A number in a field that nothing compares as a number is also looked at
// as text by opDigits: see "Inherited oddities" in the package comment.
func (t *test) matches(v *node, numeric bool) bool {
	switch t.op {
	case opExists:
		return true
	case opBut:
		for i := range t.inner {
			if t.inner[i].matches(v, numeric) {
				return false
			}
		}
		return true
	case opDigits, opAddresses:
		return t.matchesAddress(v, numeric)
	}
	switch v.kind {
	case String:
		return t.matchesString(v.text)
	case Number:
		return v.comparable && t.matchesNumber(v.num)
	}
	return t.op == opLiteral && t.text == v.text
}

func (t *test) matchesNumber(f float64) bool {
	switch t.op {
	case opNumber:
		return f == t.span.lo
	case opNumbers:
		_, ok := t.set.numbers[f]
		return ok
	case opRange:
		return t.span.holds(f)
	}
	return false
}

func (t *test) matchesString(s string) bool {
	switch t.op {
	case opText:
		return s == t.text
	case opTexts:
		_, ok := t.set.texts[s]
		return ok
	case opPrefix:
		return strings.HasPrefix(s, t.text) || s+`"` == t.text
	case opSuffix:
		return strings.HasSuffix(s, t.text) || `"`+s == t.text
	case opWildcard:
		return wildcardMatches(t.text, s)
	case opFold:
		rest, ok := foldPrefix(s, t.text)
		return ok && rest == ""
	case opFoldPrefix:
		_, ok := foldPrefix(s, t.text)
		return ok || foldsTo(s+`"`, t.text)
	case opFoldSuffix:
		_, ok := foldSuffix(s, t.text)
		return ok || foldsTo(`"`+s, t.text)
	}
	return false
}

func foldsTo(s, fold string) bool {
	if !strings.Contains(fold, `"`) {
		return false
	}
	rest, ok := foldPrefix(s, fold)
	return ok && rest == ""
}

func (t *test) matchesAddress(v *node, numeric bool) bool {
	switch {
	case v.kind == String:
		var buf [32]byte
		digits := addressDigits(buf[:0], v.text)
		return digits != nil && t.matchesDigits(string(digits))
	case v.kind == Number && !(numeric && v.comparable):
		return t.matchesDigits(v.raw)
	}
	return false
}

func (t *test) matchesDigits(digits string) bool {
	if t.op == opDigits {
		return t.digits.matches(digits)
	}
	for _, n := range [...]int{8, 32} { // the lengths of addresses; a longer text only has to begin so
		if _, ok := t.set.addresses[digits[:min(n, len(digits))]]; ok {
			return true
		}
	}
	return false
}
