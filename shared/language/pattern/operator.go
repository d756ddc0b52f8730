package pattern

import "slices"

// condition compiles the list of values at n.
func (c *compiler) condition(n int32, at *spot) *condition {
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
	cond.tests = slices.Clip(grouped(cond.tests))
	for _, t := range cond.tests {
		cond.numeric = cond.numeric || t.comparesNumbers()
	}
	cond.price()
	return cond
}

func (t *test) comparesNumbers() bool {
	switch t.op {
	case opNumber, opNumbers, opRange, opRanges:
		return true
	}
	return t.op == opBut && t.inner[0].comparesNumbers()
}

// exactly compiles a plain value. A string that is an IP address is met by every way of writing the address.
func (c *compiler) exactly(v *node, at *spot) test {
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

func (c *compiler) checkNumber(v *node, at *spot) {
	if !v.comparable {
		c.fault(at, "this number is out of range or has more digits than a float64 keeps: want a string, or fewer digits")
	}
}

const operators = "exactly, prefix, suffix, wildcard, equals-ignore-case, anything-but, numeric, exists or cidr"

// operator compiles an object such as {"prefix": "a"} into cond.
func (c *compiler) operator(cond *condition, n int32, at *spot) {
	k, ok := c.only(n, at, operators)
	if !ok {
		return
	}
	at = under(at, k.name)
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
func (c *compiler) only(n int32, at *spot, want string) (kid, bool) {
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
func (c *compiler) textOperator(k kid, at *spot, want string) (test, bool) {
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
		at = under(at, inner.name)
		if inner.name != "equals-ignore-case" {
			c.fault(at, "unknown operator: want equals-ignore-case")
			return test{}, false
		}
		op, v = o.fold, inner.node
	}
	return c.text(op, &c.nodes[v], at)
}

// text compiles one operand of an operator on strings.
func (c *compiler) text(op op, v *node, at *spot) (test, bool) {
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

func (c *compiler) cidr(v *node, at *spot) (test, bool) {
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
