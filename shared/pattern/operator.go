package pattern

import (
	"math"
	"strings"
)

// condition compiles the list of values at n.
func (c *compiler) condition(n int32, at []string) *condition {
	cond := &condition{}
	values := c.members(n)
	if len(values) == 0 {
		c.fault(at, "want at least one value")
	}
	if c.values += len(values); c.values > MaxValues {
		c.fault(at, "too complex: want at most %d values", MaxValues)
		return cond
	}
	for i, k := range values {
		if len(c.errs) == maxErrors {
			break
		}
		switch v := &c.nodes[k.node]; v.kind {
		case Object:
			c.operator(cond, k.node, index(at, i))
		case Array:
			c.fault(index(at, i), "want a value or an operator, not a list")
		default:
			cond.tests = append(cond.tests, c.exactly(v, index(at, i)))
		}
	}
	cond.tests = grouped(cond.tests)
	for _, t := range cond.tests {
		cond.numeric = cond.numeric || t.comparesNumbers()
	}
	return cond
}

func (t *test) comparesNumbers() bool {
	return t.op == opNumber || t.op == opNumbers || t.op == opRange || t.op == opBut && t.inner[0].comparesNumbers()
}

// exactly compiles a plain value. A string that is an IP address is met by every way of writing the address.
func (c *compiler) exactly(v *node, at []string) test {
	switch v.kind {
	case String:
		if digits := addressDigits(nil, v.text); digits != nil {
			return test{op: opDigits, digits: digitRange{string(digits), string(digits)}}
		}
		return test{op: opText, text: v.text}
	case Number:
		c.checkNumber(v, at)
		return test{op: opNumber, span: &span{lo: v.num, hi: v.num}}
	}
	return test{op: opLiteral, text: v.text}
}

func (c *compiler) checkNumber(v *node, at []string) {
	if !v.comparable {
		c.fault(at, "this number is out of range or has more digits than a float64 keeps: want a string, or fewer digits")
	}
}

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

const operators = "exactly, prefix, suffix, wildcard, equals-ignore-case, anything-but, numeric, exists or cidr"

// operator compiles an object such as {"prefix": "a"} into cond.
func (c *compiler) operator(cond *condition, n int32, at []string) {
	k, ok := c.only(n, at, operators)
	if !ok {
		return
	}
	at = under(at, "."+k.name)
	v := &c.nodes[k.node]
	var t test
	switch k.name {
	case "exists":
		switch v.kind {
		case True:
			t = test{op: opExists}
		case False:
			cond.absent = true
			return
		default:
			c.fault(at, "want true or false")
			return
		}
	case "numeric":
		t, ok = c.numeric(k.node, at)
	case "cidr":
		t, ok = c.cidr(v, at)
	case "anything-but":
		t, ok = c.anythingBut(k.node, at)
	default:
		t, ok = c.textOperator(k, at, operators)
	}
	if ok {
		cond.tests = append(cond.tests, t)
	}
}

// only returns the one member of object n, which names an operator.
func (c *compiler) only(n int32, at []string, want string) (kid, bool) {
	members := c.members(n)
	if len(members) != 1 {
		c.fault(at, "want one operator: %s", want)
		return kid{}, false
	}
	return members[0], true
}

// A textOp is an operator on strings and its form that ignores case.
var textOps = map[string]struct{ plain, fold op }{
	"exactly":            {opText, opText},
	"prefix":             {opPrefix, opFoldPrefix},
	"suffix":             {opSuffix, opFoldSuffix},
	"wildcard":           {opWildcard, opWildcard},
	"equals-ignore-case": {opFold, opFold},
}

// textOperator compiles an operator whose operand is a string, or {"equals-ignore-case": string}.
func (c *compiler) textOperator(k kid, at []string, want string) (test, bool) {
	o, known := textOps[k.name]
	if !known {
		c.fault(at, "unknown operator: want %s", want)
		return test{}, false
	}
	op, v := o.plain, k.node
	if c.nodes[v].kind == Object && o.fold != o.plain {
		inner, ok := c.only(v, at, "equals-ignore-case")
		if !ok {
			return test{}, false
		}
		at = under(at, "."+inner.name)
		if inner.name != "equals-ignore-case" {
			c.fault(at, "unknown operator: want equals-ignore-case")
			return test{}, false
		}
		op, v = o.fold, inner.node
	}
	return c.text(op, &c.nodes[v], at)
}

// text compiles one operand of an operator on strings.
func (c *compiler) text(op op, v *node, at []string) (test, bool) {
	if v.kind != String {
		c.fault(at, "want a string")
		return test{}, false
	}
	switch op {
	case opWildcard:
		if detail := wildcardFault(v.text); detail != "" {
			c.fault(at, "%s", detail)
			return test{}, false
		}
	case opFold, opFoldPrefix, opFoldSuffix:
		for _, r := range v.text {
			if r > 0xFFFF {
				c.fault(at, "%q: characters beyond U+FFFF cannot be compared ignoring case", r)
				return test{}, false
			}
		}
	}
	return test{op: op, text: v.text}, true
}

// anythingBut compiles a string, a number, a list of either, or an operator on strings with one or several operands.
func (c *compiler) anythingBut(n int32, at []string) (test, bool) {
	const allowed = "prefix, suffix, wildcard or equals-ignore-case"
	op, v := opText, &c.nodes[n]
	if v.kind == Object {
		k, ok := c.only(n, at, allowed)
		if !ok {
			return test{}, false
		}
		o, known := textOps[k.name]
		if at = under(at, "."+k.name); !known || k.name == "exactly" {
			c.fault(at, "unknown operator in anything-but: want %s", allowed)
			return test{}, false
		}
		op, n = o.plain, k.node
		v = &c.nodes[n]
	}
	if v.kind != Array {
		t, ok := c.excluded(op, v, v.kind, at)
		return test{op: opBut, inner: []test{t}}, ok
	}
	list := c.members(n)
	if len(list) == 0 {
		c.fault(at, "want at least one value")
		return test{}, false
	}
	if c.values += len(list); c.values > MaxValues {
		c.fault(at, "too complex: want at most %d values", MaxValues)
		return test{}, false
	}
	inner := make([]test, 0, len(list))
	for i, k := range list {
		t, ok := c.excluded(op, &c.nodes[k.node], c.nodes[list[0].node].kind, index(at, i))
		if !ok {
			return test{}, false
		}
		inner = append(inner, t)
	}
	return test{op: opBut, inner: grouped(inner)}, true
}

// excluded compiles one operand of anything-but, which must be of the kind given, the first one's.
func (c *compiler) excluded(op op, v *node, kind Kind, at []string) (test, bool) {
	switch {
	case op != opText:
		if v.text == "" && (op == opPrefix || op == opSuffix) && v.kind == String {
			c.fault(at, "want a string that is not empty")
			return test{}, false
		}
		return c.text(op, v, at)
	case v.kind != String && v.kind != Number:
		c.fault(at, "want a string, a number, or a list of either")
	case v.kind != kind:
		c.fault(at, "want only strings or only numbers in one list")
	case v.kind == Number:
		c.checkNumber(v, at)
		return test{op: opNumber, span: &span{lo: v.num, hi: v.num}}, v.comparable
	default:
		return test{op: opText, text: v.text}, true
	}
	return test{}, false
}

// numeric compiles a comparison, or two that bound a range, the lower bound first.
func (c *compiler) numeric(n int32, at []string) (test, bool) {
	list := c.members(n)
	if c.nodes[n].kind != Array || len(list) != 2 && len(list) != 4 {
		c.fault(at, "want an operator and a number")
		return test{}, false
	}
	s := &span{lo: -math.MaxFloat64, hi: math.MaxFloat64}
	for i := 0; i < len(list); i += 2 {
		o, v := &c.nodes[list[i].node], &c.nodes[list[i+1].node]
		switch {
		case o.kind != String || v.kind != Number:
			c.fault(at, "want an operator and a number")
			return test{}, false
		case !v.comparable:
			c.checkNumber(v, index(at, i+1))
			return test{}, false
		case !s.bound(o.text):
			c.fault(index(at, i), "unknown operator: want =, <, <=, > or >=")
			return test{}, false
		}
		if strings.HasPrefix(o.text, ">") || o.text == "=" {
			s.lo = v.num
		}
		if strings.HasPrefix(o.text, "<") || o.text == "=" {
			s.hi = v.num
		}
	}
	first, last := c.nodes[list[0].node].text, c.nodes[list[len(list)-2].node].text
	if len(list) == 4 && (first[0] != '>' || last[0] != '<' || s.lo >= s.hi) {
		c.fault(at, "want a lower bound (> or >=) and then a greater upper bound (< or <=)")
		return test{}, false
	}
	if first == "=" {
		return test{op: opNumber, span: s}, true
	}
	if s.lo >= s.hi {
		c.fault(at, "want a range that some number is in")
		return test{}, false
	}
	return test{op: opRange, span: s}, true
}

// bound notes whether the bound that an operator sets is open, and says whether there is such an operator.
func (s *span) bound(operator string) bool {
	switch operator {
	case "<":
		s.openHi = true
	case ">":
		s.openLo = true
	case "=", "<=", ">=":
	default:
		return false
	}
	return true
}

func (c *compiler) cidr(v *node, at []string) (test, bool) {
	if v.kind != String {
		c.fault(at, "want an address and a mask, such as 10.0.0.0/8")
		return test{}, false
	}
	r, detail := parseCIDR(v.text)
	if detail != "" {
		c.fault(at, "%s", detail)
	}
	return test{op: opDigits, digits: r}, detail == ""
}
