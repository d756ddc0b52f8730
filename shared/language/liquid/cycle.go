package liquid

import (
	"strings"
)

// cycle compiles {% cycle [group:] a, b, c %}.
func (p *parser) cycle(it item) (node, bool, error) {
	if err := p.begin(it); err != nil {
		return nil, false, err
	}
	c := &cycle{off: it.off, captured: p.captured > 0}
	first, err := p.expression()
	if err != nil {
		return nil, false, err
	}
	if _, ok := p.take(':'); ok {
		c.group = first
	} else {
		c.items = append(c.items, first)
	}
	for more := c.group != nil; more || len(c.items) > 0; more = false {
		if !more {
			if _, ok := p.take(','); !ok || p.peek().kind == tokenEnd {
				break
			}
		}
		next, err := p.expression()
		if err != nil {
			return nil, false, err
		}
		c.items = append(c.items, next)
	}
	p.nameCycle(c, it)
	return c, false, p.end()
}

// nameCycle lets unnamed cycles of the same literals share their position; one with variables is on its own.
func (p *parser) nameCycle(c *cycle, it item) {
	c.key = wordsOf(p.tokens, p.template.source)
	for _, e := range c.items {
		if _, ok := e.(*literal); ok {
			continue
		}
		c.key = "" // then the cycle itself is the key
		if !c.prints {
			c.prints = true
			c.index = len(p.template.outputs)
			info := Output{Expression: strings.Trim(it.text, spaces), Captured: c.captured}
			info.Line, info.Column = p.place(it.off)
			p.template.outputs = append(p.template.outputs, info)
		}
	}
}

type cycle struct {
	group    expression // nil for an unnamed one
	key      string     // of an unnamed one, "" if it is on its own
	items    []expression
	prints   bool // more than literals
	captured bool
	index    int // in Template.outputs, if it prints
	off      int
}

// cycleKey is whatever tells groups apart: two cycles with an equal one share their position.
type cycleKey struct {
	kind  kind
	text  string
	cycle *cycle
}

func (c *cycle) identity(r *run) (cycleKey, error) {
	if c.group == nil {
		if c.key == "" {
			return cycleKey{cycle: c}, nil
		}
		return cycleKey{kind: kindBlank, text: c.key}, nil
	}
	v, err := c.group.eval(r)
	if err != nil {
		return cycleKey{}, err
	}
	text, err := r.string(v)
	return cycleKey{kind: v.kind, text: text}, err
}

func (c *cycle) render(r *run) error {
	err := c.next(r)
	if err != nil {
		return located(r.template.source, c.off, err)
	}
	return nil
}

func (c *cycle) next(r *run) error {
	if err := r.budget.spend(1); err != nil {
		return err
	}
	key, err := c.identity(r)
	if err != nil {
		return err
	}
	if err := r.budget.reading(len(key.text)); err != nil {
		return err
	}
	if r.cycles == nil {
		r.cycles = map[cycleKey]int{}
	}
	i, known := r.cycles[key]
	if !known {
		if err := r.make(mapEntry + len(key.text)); err != nil {
			return err
		}
	}
	if r.cycles[key] = i + 1; i+1 >= len(c.items) {
		r.cycles[key] = 0
	}
	if i >= len(c.items) {
		return nil
	}
	v, err := c.items[i].eval(r)
	if err != nil {
		return err
	}
	return r.show(c.index, v, !c.prints || c.captured)
}
