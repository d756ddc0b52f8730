package liquid

import "strings"

// branch is a block and what must hold for it; without a condition it is an else.
type branch struct {
	condition condition
	body      block
}

// choice is if or unless: the first branch whose condition holds is rendered.
type choice struct {
	branches []branch
	unless   bool // the first condition must not hold
	off      int
}

func (p *parser) ifElse(it item) (node, bool, error) {
	c := &choice{unless: it.name == "unless", off: it.off}
	braces := p.scanner.braces
	for tag := it; tag.name != "end"+it.name; {
		var b branch
		var err error
		switch {
		case tag.name != "else":
			b.condition, err = p.condition(tag)
		case strings.HasPrefix(strings.TrimLeft(tag.text, spaces), "if "):
			err = &faultAt{tag.off, "else if is not a tag: write elsif"}
		}
		if err != nil {
			return nil, false, err
		}
		p.scanner.braces = braces
		b.body, tag, err = p.body(it, "elsif", "else", "end"+it.name)
		if err != nil {
			return nil, false, err
		}
		c.branches = append(c.branches, b)
	}
	blocks := make([]*block, len(c.branches))
	for i := range c.branches {
		blocks[i] = &c.branches[i].body
	}
	return c, dropText(blocks...), nil
}

func (c *choice) render(r *run) error {
	for i := range c.branches {
		b := &c.branches[i]
		holds := b.condition == nil
		if !holds {
			var err error
			if holds, err = b.condition.holds(r); err != nil {
				return err
			}
			holds = holds != (c.unless && i == 0)
		}
		if holds {
			return b.body.render(r)
		}
	}
	return nil
}

// selection is case: every when that has the value is rendered, once for each time it names it, and each else
// unless a when before it was.
type selection struct {
	subject expression
	whens   []when
	off     int
}

type when struct {
	values []expression // nil for else
	body   block
}

func (p *parser) caseOf(it item) (n node, blank bool, err error) {
	if err := p.begin(it); err != nil {
		return nil, false, err
	}
	s := &selection{off: it.off}
	if s.subject, err = p.expression(); err == nil {
		err = p.end()
	}
	if err != nil {
		return nil, false, err
	}
	braces := p.scanner.braces
	_, tag, err := p.body(it, "when", "else", "endcase") // what stands before the first when is never rendered
	for err == nil && tag.name != "endcase" {
		var w when
		if tag.name == "when" {
			w.values, err = p.whenValues(tag)
		} else {
			err = p.nothing(tag)
		}
		if err != nil {
			return nil, false, err
		}
		p.scanner.braces = braces
		w.body, tag, err = p.body(it, "when", "else", "endcase")
		s.whens = append(s.whens, w)
	}
	blocks := make([]*block, len(s.whens))
	for i := range s.whens {
		blocks[i] = &s.whens[i].body
	}
	return s, dropText(blocks...), err
}

// whenValues compiles values separated by commas or by or.
func (p *parser) whenValues(it item) ([]expression, error) {
	if err := p.begin(it); err != nil {
		return nil, err
	}
	var values []expression
	for {
		value, err := p.operand()
		if err != nil {
			return nil, err
		}
		values = append(values, value)
		if _, ok := p.take(','); !ok && !p.takeWord("or") {
			return values, p.end()
		}
	}
}

func (s *selection) render(r *run) error {
	subject, err := s.subject.eval(r)
	if err != nil {
		return located(r.template.source, s.off, err)
	}
	found := false
	for i := range s.whens {
		w := &s.whens[i]
		times, err := w.times(r, subject, found)
		if err != nil {
			return located(r.template.source, s.off, err)
		}
		found = found || times > 0 && w.values != nil
		for ; times > 0; times-- {
			if err := w.body.render(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// times tells how often a when is rendered.
func (w *when) times(r *run, subject Value, found bool) (int, error) {
	if w.values == nil {
		if found {
			return 0, nil
		}
		return 1, nil
	}
	n := 0
	for _, e := range w.values {
		if err := r.budget.spend(1); err != nil {
			return 0, err
		}
		value, err := e.eval(r)
		if err != nil {
			return 0, err
		}
		same, err := equal(r.budget, subject, value)
		if err != nil {
			return 0, err
		}
		if same {
			n++
		}
	}
	return n, nil
}
