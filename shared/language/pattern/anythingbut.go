package pattern

// anythingBut compiles a string, a number, a list of either, or an operator on strings with one or several operands.
func (c *compiler) anythingBut(n int32, at *spot) (test, bool) {
	const allowed = "prefix, suffix, wildcard or equals-ignore-case"
	op, v := opText, &c.nodes[n]
	if v.kind == Object {
		k, ok := c.only(n, at, allowed)
		if !ok {
			return test{}, false
		}
		o, known := textOps[k.name]
		if at = under(at, k.name); !known || k.name == "exactly" {
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
func (c *compiler) excluded(op op, v *node, kind Kind, at *spot) (test, bool) {
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
