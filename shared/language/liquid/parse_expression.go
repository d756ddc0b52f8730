package liquid

import (
	"fmt"
)

// begin starts on the expression of a tag or an output.
func (p *parser) begin(it item) (err error) {
	p.at, p.brackets = 0, 0
	p.tokens, err = tokenize(p.tokens[:0], it.text, it.inside)
	p.passed += len(p.tokens)
	return err
}

func (p *parser) peek() *token { return &p.tokens[p.at] }

// take moves past a token of a kind, if it is the next.
func (p *parser) take(kind tokenKind) (string, bool) {
	t := p.peek()
	if t.kind != kind || kind == tokenEnd {
		return "", false
	}
	p.at++
	return t.text, true
}

// takeWord moves past a name, if it is the next.
func (p *parser) takeWord(word string) bool {
	t := p.peek()
	if t.kind != tokenName || t.text != word {
		return false
	}
	p.at++
	return true
}

// want is the fault of anything else than what was expected here.
func (p *parser) want(what string) error {
	t := p.peek()
	if t.kind == tokenEnd {
		return &faultAt{t.off, "want " + what}
	}
	return &faultAt{t.off, fmt.Sprintf("want %s, not %q", what, t.text)}
}

// end expects no more tokens.
func (p *parser) end() error {
	if t := p.peek(); t.kind != tokenEnd {
		return &faultAt{t.off, fmt.Sprintf("unexpected %q", t.text)}
	}
	return nil
}

// operand compiles an expression of a condition, where empty and blank are more than "".
func (p *parser) operand() (expression, error) {
	t := *p.peek()
	e, err := p.expression()
	if marker, ok := markers[t.text]; ok && t.kind == tokenName {
		if _, word := e.(*literal); word {
			return &literal{marker}, err
		}
	}
	return e, err
}

// expression compiles a value without filters.
func (p *parser) expression() (expression, error) {
	if p.brackets++; p.brackets > MaxNesting {
		return nil, &faultAt{p.peek().off, faultf("brackets are nested deeper than %d", MaxNesting).Error()}
	}
	defer func() { p.brackets-- }()
	t := *p.peek()
	if t.kind != tokenEnd {
		p.at++
	}
	switch t.kind {
	case tokenName:
		return p.name(t)
	case tokenString:
		return &literal{String(t.text)}, nil
	case tokenNumber:
		return &literal{literalNumber(t.text)}, nil
	case '(':
		return p.span()
	case '[':
		name, err := p.bracket()
		if err != nil {
			return nil, err
		}
		if name.index == nil {
			return p.variable(name.key, t.off)
		}
		return p.path(&lookup{name: name.index})
	}
	if t.kind != tokenEnd {
		p.at--
	}
	return nil, p.want("a value")
}

// literalNumber reads a number written in a template; it is printed as computed ones are.
func literalNumber(text string) Value {
	v := numberFrom(text, allDigits(text[1:]) || len(text) == 1) // the first may be a sign
	if v.kind != kindBig {
		v.str = ""
	}
	return v
}

// span compiles what stands behind (, a range.
func (p *parser) span() (expression, error) {
	off := p.peek().off
	first, err := p.expression()
	if err != nil {
		return nil, err
	}
	if _, ok := p.take(tokenDots); !ok {
		return nil, p.want("..")
	}
	last, err := p.expression()
	if err != nil {
		return nil, err
	}
	if _, ok := p.take(')'); !ok {
		return nil, p.want(")")
	}
	from, literalFrom := first.(*literal)
	to, literalTo := last.(*literal)
	if !literalFrom || !literalTo {
		return &between{first, last}, nil
	}
	value, err := makeRange(truncated(from.value), truncated(to.value))
	if err != nil {
		return nil, &faultAt{off, err.Error()}
	}
	return &literal{value}, nil
}

// truncated cuts what a literal end of a range has behind the point; a computed end may have nothing there.
func truncated(v Value) Value {
	if v.kind == kindFloat {
		v, _ = looseInteger(v)
	}
	return v
}
