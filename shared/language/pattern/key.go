package pattern

import "strings"

// A key is one look-up by which an event finds a subscription.
type key struct {
	kind   keyKind
	affix  affixKind // of byAffix
	text   string    // of byText and byAffix
	number float64   // of byNumber; the lower bound of bySpan
	upper  float64   // of bySpan
}

type keyKind uint8

const (
	byAny keyKind = iota
	byText
	byNumber
	byAffix
	bySpan
)

// eachKey calls yield with the keys under which an event that meets the condition can be found, and says whether
// there are such: a missing value cannot be looked up.
func (c *condition) eachKey(yield func(key)) bool {
	if c.absent {
		return false
	}
	for i := range c.tests {
		c.tests[i].eachKey(yield)
	}
	return true
}

func (t *test) eachKey(yield func(key)) {
	switch t.op {
	case opText:
		yield(key{kind: byText, text: t.text})
	case opFolds:
		for text := range t.set.texts {
			yield(headKey(lowerHeads, text))
		}
	case opTexts:
		for text := range t.set.texts {
			yield(key{kind: byText, text: text})
		}
	case opNumber:
		yield(key{kind: byNumber, number: t.span.lo})
	case opNumbers:
		for n := range t.set.numbers {
			yield(key{kind: byNumber, number: n})
		}
	case opRanges:
		for _, s := range t.set.ranges {
			yield(key{kind: bySpan, number: s.lo, upper: s.hi})
		}
	case opHeads, opTails, opFoldHeads, opFoldTails:
		t.set.affixes.eachKey(yield)
	case opNetworks:
		for head := range t.set.networks.byHead {
			yield(headKey(digitHeads, head))
		}
	case opAddresses:
		for digits := range t.set.addresses {
			yield(headKey(digitHeads, digits))
		}
	case opLiteral:
		yield(key{kind: byText, text: "\x00" + t.text})
	case opRange:
		yield(key{kind: bySpan, number: t.span.lo, upper: t.span.hi})
	default:
		yield(t.affixKey())
	}
}

// eachKey yields the keys of a list: see affixKey.
func (a *affixList) eachKey(yield func(key)) {
	kind := map[[2]bool]affixKind{{false, false}: heads, {true, false}: tails, {false, true}: lowerHeads, {true, true}: lowerTails}[[2]bool{a.ends, a.lower}]
	for i := range a.texts {
		if a.ends {
			yield(tailKey(kind, strings.TrimPrefix(a.edge(i), `"`)))
		} else {
			yield(headKey(kind, strings.TrimSuffix(a.edge(i), `"`)))
		}
	}
}

// affixKey is the key of tests that begin or end with something known. A quote at the far end of a prefix or suffix
// need not be in the value (see "Inherited oddities"), so it is not looked up.
func (t *test) affixKey() key {
	switch t.op {
	case opPrefix:
		return headKey(heads, strings.TrimSuffix(t.text, `"`))
	case opSuffix:
		return tailKey(tails, strings.TrimPrefix(t.text, `"`))
	case opWildcard:
		head, tail, whole := wildcardEnds(t.text)
		switch {
		case whole:
			return key{kind: byText, text: head}
		case len(head) >= len(tail):
			return headKey(heads, head)
		}
		return tailKey(tails, tail)
	case opFold, opFoldPrefix:
		if head := asciiHead(t.text); head > 0 || t.op == opFoldPrefix {
			return headKey(lowerHeads, strings.TrimSuffix(asciiLower(t.text[:head]), `"`))
		}
		return tailKey(lowerTails, asciiLower(t.text[len(t.text)-asciiTail(t.text):]))
	case opFoldSuffix:
		tail := t.text[len(t.text)-asciiTail(t.text):]
		return tailKey(lowerTails, strings.TrimPrefix(asciiLower(tail), `"`))
	case opDigits:
		return headKey(digitHeads, t.digits.common())
	}
	return key{kind: byAny} // exists, anything but: some value
}

func headKey(kind affixKind, s string) key {
	if s == "" {
		return key{kind: byAny}
	}
	return key{kind: byAffix, affix: kind, text: s[:min(len(s), maxAffix)]}
}

func tailKey(kind affixKind, s string) key {
	if s == "" {
		return key{kind: byAny}
	}
	return key{kind: byAffix, affix: kind, text: s[max(0, len(s)-maxAffix):]}
}
