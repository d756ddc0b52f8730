package pattern

// many is how many exact values of one kind are worth a look-up.
const many = 8

// grouped turns many exact strings, numbers or addresses into one look-up.
func grouped(tests []test) []test {
	count := map[op]int{}
	for i := range tests {
		count[tests[i].lookedUp()]++
	}
	if max(count[opTexts], count[opNumbers], count[opAddresses]) <= many {
		return tests
	}
	set := &sets{map[string]struct{}{}, map[float64]struct{}{}, map[string]struct{}{}}
	var rest []test
	for _, t := range tests {
		switch op := t.lookedUp(); {
		case op == 0 || count[op] <= many:
			rest = append(rest, t)
		case op == opTexts:
			set.texts[t.text] = struct{}{}
		case op == opNumbers:
			set.numbers[t.span.lo] = struct{}{}
		case op == opAddresses:
			set.addresses[t.digits.lo] = struct{}{}
		}
	}
	for _, op := range []op{opTexts, opNumbers, opAddresses} {
		if count[op] > many {
			rest = append(rest, test{op: op, set: set})
		}
	}
	return rest
}

// lookedUp returns the operator that does the test's work by a look-up, 0 if there is none.
func (t *test) lookedUp() op {
	switch {
	case t.op == opText:
		return opTexts
	case t.op == opNumber:
		return opNumbers
	case t.op == opDigits && t.digits.lo == t.digits.hi:
		return opAddresses
	}
	return 0
}
