package pattern

import "strings"

// many is how many tests of one kind in a list are worth a look-up.
const many = 8

// grouped turns many tests of one kind into one look-up, so that a value is compared with a list of thousands in a few
// steps. Left over are wildcards with a star inside, and characters beyond ASCII with equals-ignore-case.
func grouped(tests []test) []test {
	count := map[op]int{}
	for i := range tests {
		count[tests[i].lookedUp()]++
	}
	members := map[op][]test{}
	var rest []test
	for _, t := range tests {
		if op := t.lookedUp(); op != opAlone && count[op] > many {
			members[op] = append(members[op], t)
		} else {
			rest = append(rest, t)
		}
	}
	if len(members) == 0 {
		return tests
	}
	for op := opTexts; op <= opNetworks; op++ { // in one order always
		if len(members[op]) > 0 {
			rest = append(rest, test{op: op, set: newSet(op, members[op])})
		}
	}
	return rest
}

// lookedUp returns the operator that does the test's work by a look-up, opAlone if there is none.
func (t *test) lookedUp() op {
	switch t.op {
	case opText:
		return opTexts
	case opNumber:
		return opNumbers
	case opRange:
		return opRanges
	case opPrefix:
		return opHeads
	case opSuffix:
		return opTails
	case opFold, opFoldPrefix, opFoldSuffix:
		if asciiHead(t.text) == len(t.text) {
			return map[op]op{opFold: opFolds, opFoldPrefix: opFoldHeads, opFoldSuffix: opFoldTails}[t.op]
		}
	case opWildcard:
		return t.affix().op
	case opDigits:
		if t.digits.lo == t.digits.hi {
			return opAddresses
		}
		return opNetworks
	}
	return opAlone
}

// An affix is a wildcard with one star, at either end, as what a prefix or a suffix would be.
type affix struct {
	op   op
	text string
}

// affix returns what such a wildcard is; opAlone for any other one. A quote means more in a prefix or suffix: see
// "Inherited oddities" in the package comment.
func (t *test) affix() affix {
	at := star(t.text)
	if at < 0 || star(t.text[at+1:]) >= 0 {
		return affix{}
	}
	head, tail := literal(t.text[:at]), literal(t.text[at+1:])
	switch {
	case tail == "" && !strings.HasSuffix(head, `"`):
		return affix{opHeads, head}
	case head == "" && !strings.HasPrefix(tail, `"`):
		return affix{opTails, tail}
	}
	return affix{}
}

// sets hold the operands of tests that stand for many.
type sets struct {
	texts     map[string]struct{} // of opTexts; lowered of opFolds
	longest   int                 // of texts
	numbers   map[float64]struct{}
	addresses map[string]struct{} // digits
	ranges    []span              // apart from each other, rising
	affixes   *affixList
	networks  *networks
}

// newSet makes what one look-up needs; op is none of the tests', but that of the look-up.
func newSet(op op, tests []test) *sets {
	set := &sets{}
	switch op {
	case opTexts, opFolds:
		set.texts = make(map[string]struct{}, len(tests))
		for _, t := range tests {
			set.texts[asciiLowerIf(op == opFolds, t.text)] = struct{}{}
			set.longest = max(set.longest, len(t.text))
		}
	case opNumbers:
		set.numbers = make(map[float64]struct{}, len(tests))
		for _, t := range tests {
			set.numbers[t.span.lo] = struct{}{}
		}
	case opAddresses:
		set.addresses = make(map[string]struct{}, len(tests))
		for _, t := range tests {
			set.addresses[t.digits.lo] = struct{}{}
		}
	case opRanges:
		set.ranges = union(tests)
	case opNetworks:
		set.networks = newNetworks(tests)
	default:
		set.affixes = newAffixList(tests, op == opTails || op == opFoldTails, op == opFoldHeads || op == opFoldTails)
	}
	return set
}

func asciiLowerIf(lower bool, s string) string {
	if lower {
		return asciiLower(s)
	}
	return s
}
