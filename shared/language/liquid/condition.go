package liquid

// condition is what if, elsif and unless ask: comparisons joined by and and or. Both bind
// equally and from the right: a and b or c is a and (b or c).
type condition []clause

type clause struct {
	left, right expression // right is nil if left alone decides
	operator    string
	join        string // and, or, "" behind the last
	off         int
}

func (c condition) holds(r *run) (bool, error) {
	for i := range c {
		holds, err := c[i].holds(r)
		switch {
		case err != nil:
			return false, located(r.template.source, c[i].off, err)
		case c[i].join == "", holds == (c[i].join == "or"):
			return holds, nil
		}
	}
	return true, nil
}

func (c *clause) holds(r *run) (bool, error) {
	if err := r.budget.spend(1); err != nil {
		return false, err
	}
	x, err := c.left.eval(r)
	if err != nil || c.right == nil {
		return truthy(x), err
	}
	y, err := c.right.eval(r)
	if err != nil {
		return false, err
	}
	return compare(r, c.operator, x, y)
}

func compare(r *run, operator string, x, y Value) (bool, error) {
	switch operator {
	case "==":
		return equal(r.budget, x, y)
	case "!=", "<>":
		same, err := equal(r.budget, x, y)
		return !same, err
	case "contains":
		return contains(r, x, y)
	}
	sign, ok, err := order(r.budget, x, y)
	if !ok || err != nil {
		if err == nil && comparable(x) && comparable(y) {
			err = faultf("cannot compare a %s with a %s", x.typeName(), y.typeName())
		}
		return false, err
	}
	switch operator {
	case "<":
		return sign < 0, nil
	case "<=":
		return sign <= 0, nil
	case ">":
		return sign > 0, nil
	}
	return sign >= 0, nil
}

// comparable reports whether v has an order among its kind; two of different kinds are a fault,
// anything else is simply not less and not greater.
func comparable(v Value) bool { return isNumber(v) || v.kind == kindString }

func (v Value) typeName() string {
	switch v.kind {
	case kindNull:
		return "null"
	case kindBool:
		return "boolean"
	case kindString:
		return "string"
	case kindArray:
		return "array"
	case kindInt, kindBig, kindFloat:
		return "number"
	case kindRange:
		return "range"
	}
	return "object"
}

// condition compiles the comparisons of if, elsif and unless.
func (p *parser) condition(it item) (condition, error) {
	if err := p.begin(it); err != nil {
		return nil, err
	}
	var all condition
	for {
		c, err := p.clause()
		if err != nil {
			return nil, err
		}
		for _, join := range []string{"and", "or"} {
			if p.takeWord(join) {
				c.join = join
				break
			}
		}
		all = append(all, c)
		if c.join == "" {
			return all, p.end()
		}
	}
}

func (p *parser) clause() (c clause, err error) {
	c.off = p.peek().off
	if c.left, err = p.operand(); err != nil {
		return c, err
	}
	operator, ok := p.take(tokenComparison)
	if !ok {
		return c, nil
	}
	c.operator = operator
	c.right, err = p.operand()
	return c, err
}
