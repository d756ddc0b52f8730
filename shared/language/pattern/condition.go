package pattern

import "strings"

// A condition is what a pattern wants of one field: any of its tests.
type condition struct {
	tests   []test
	absent  bool  // one of them is exists: false
	numeric bool  // one of them compares numbers
	steps   int32 // what trying a value costs
	scans   int32 // and for each 16 bytes of its text
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
	opAlone      op = iota // none: what no look-up does
	opText                 // a string, exactly
	opNumber               // a number, exactly
	opLiteral              // true, false, null
	opPrefix               //
	opSuffix               //
	opWildcard             // text as written
	opFold                 // equals-ignore-case
	opFoldPrefix           // prefix with equals-ignore-case
	opFoldSuffix           // suffix with equals-ignore-case
	opRange                // numbers between
	opDigits               // addresses between
	opExists               // any value
	opBut                  // anything but

	// Each of these stands for many tests of one kind.
	opTexts     // strings
	opNumbers   // numbers
	opRanges    // ranges of numbers
	opHeads     // prefixes
	opTails     // suffixes
	opFolds     // equals-ignore-case, of ASCII
	opFoldHeads // prefixes with equals-ignore-case, of ASCII
	opFoldTails // suffixes with equals-ignore-case, of ASCII
	opAddresses // addresses
	opNetworks  // blocks of addresses
)

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
	case opDigits, opAddresses, opNetworks:
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
	case opRanges:
		return within(t.set.ranges, f)
	}
	return false
}

func (t *test) matchesString(s string) bool {
	switch t.op {
	case opText:
		return s == t.text
	case opTexts, opFolds:
		if len(s) > t.set.longest {
			return false
		}
		_, ok := t.set.texts[asciiLowerIf(t.op == opFolds, s)]
		return ok
	case opHeads, opTails, opFoldHeads, opFoldTails:
		return t.set.affixes.holds(s)
	case opPrefix:
		return strings.HasPrefix(s, t.text) || len(t.text) == len(s)+1 && t.text[len(s)] == '"' && t.text[:len(s)] == s
	case opSuffix:
		return strings.HasSuffix(s, t.text) || len(t.text) == len(s)+1 && t.text[0] == '"' && t.text[1:] == s
	case opWildcard:
		return wildcardMatches(t.text, s)
	case opFold:
		rest, ok := foldPrefix(s, t.text)
		return ok && rest == ""
	case opFoldPrefix:
		_, ok := foldPrefix(s, t.text)
		return ok || foldsTo(s, "", `"`, t.text)
	case opFoldSuffix:
		_, ok := foldSuffix(s, t.text)
		return ok || foldsTo(s, `"`, "", t.text)
	}
	return false
}

// foldsTo says whether s with a quote before or after it meets fold.
func foldsTo(s, before, after, fold string) bool {
	if !strings.HasPrefix(fold, before) || !strings.HasSuffix(fold, after) || len(s) > widest*len(fold) {
		return false
	}
	rest, ok := foldPrefix(before+s+after, fold)
	return ok && rest == ""
}

// widest is more than how many times longer than a character its upper case is.
const widest = 8

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
	switch t.op {
	case opDigits:
		return t.digits.matches(digits)
	case opNetworks:
		return t.set.networks.hold(digits[:min(len(digits), 32)])
	}
	for _, n := range [...]int{8, 32} { // the lengths of addresses; a longer text only has to begin so
		if _, ok := t.set.addresses[digits[:min(n, len(digits))]]; ok {
			return true
		}
	}
	return false
}
