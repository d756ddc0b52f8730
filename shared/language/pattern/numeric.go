package pattern

import (
	"math"
	"strings"
)

// numeric compiles a comparison, or two that bound a range, the lower bound first.
func (c *compiler) numeric(n int32, at *spot) (test, bool) {
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
