package liquid

import (
	"strings"
)

// tags compile what they begin, up to the tag that closes it. They report whether what they
// made is blank: it prints nothing but space.
var tags map[string]func(p *parser, it item) (n node, blank bool, err error)

func init() {
	tags = map[string]func(p *parser, it item) (node, bool, error){
		"#":         (*parser).inlineComment,
		"abort":     (*parser).abort,
		"assign":    (*parser).assign,
		"break":     (*parser).interrupt,
		"capture":   (*parser).capture,
		"case":      (*parser).caseOf,
		"comment":   (*parser).comment,
		"continue":  (*parser).interrupt,
		"cycle":     (*parser).cycle,
		"decrement": (*parser).counter,
		"doc":       (*parser).documentation,
		"echo":      (*parser).echo,
		"for":       (*parser).forIn,
		"if":        (*parser).ifElse,
		"ifchanged": (*parser).ifChanged,
		"increment": (*parser).counter,
		"raw":       (*parser).rawText,
		"tablerow":  (*parser).tableRow,
		"unless":    (*parser).ifElse,
	}
}

// nothing expects that a tag has no expression.
func (p *parser) nothing(it item) error {
	if err := p.begin(it); err != nil {
		return err
	}
	return p.end()
}

func (p *parser) inlineComment(it item) (node, bool, error) {
	for i, line := range strings.Split(it.text, "\n") {
		line = strings.Trim(line, spaces)
		if i > 0 && line != "" && line[0] != '#' {
			return nil, true, &faultAt{it.off, "every line of a comment begins with #"}
		}
	}
	return nil, true, nil
}

func (p *parser) comment(it item) (node, bool, error) {
	return nil, true, p.stream.skipComment(it)
}

// documentation is for readers of the template: what stands in it may be anything but another doc.
func (p *parser) documentation(it item) (node, bool, error) {
	if err := p.nothing(it); err != nil {
		return nil, true, err
	}
	return nil, true, p.stream.skipDoc(it)
}

func (p *parser) rawText(it item) (node, bool, error) {
	if err := p.nothing(it); err != nil {
		return nil, false, err
	}
	text, off, err := p.stream.raw(it)
	if text == "" || err != nil {
		return nil, true, err
	}
	return &rawText{literalText{text, off}}, false, nil
}

func (p *parser) echo(it item) (node, bool, error) {
	n, err := p.output(it, false)
	return n, false, err
}

// target compiles the name of a variable that a tag sets.
func (p *parser) target() (slot int, err error) {
	t := *p.peek()
	if t.kind != tokenName || strings.HasSuffix(t.text, "?") {
		return 0, p.want("the name of a variable")
	}
	p.at++
	return p.set(t)
}

// set notes that the template itself sets a variable.
func (p *parser) set(t token) (slot int, err error) {
	if t.text == "secrets" {
		return 0, p.secretFault(t.off)
	}
	p.assigned[t.text], p.own[t.text] = true, true
	return p.slot(t.text), nil
}

func (p *parser) assign(it item) (node, bool, error) {
	text, _, found := strings.Cut(it.text, "=")
	if !found {
		return nil, true, &faultAt{it.off, "want assign name = value"}
	}
	if err := p.begin(item{text: text, inside: it.inside}); err != nil {
		return nil, true, err
	}
	slot, err := p.target()
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return nil, true, err
	}
	n := len(text) + 1
	if err := p.begin(item{text: it.text[n:], inside: it.inside + n}); err != nil {
		return nil, true, err
	}
	if p.peek().kind == tokenEnd {
		return nil, true, p.want("a value")
	}
	value, err := p.filtered()
	return &assignment{slot, value, it.off}, true, err
}

func (p *parser) capture(it item) (node, bool, error) {
	if err := p.begin(it); err != nil {
		return nil, true, err
	}
	if t := p.peek(); t.kind == tokenString { // capture "name", as older templates have it
		t.kind = tokenName
	}
	slot, err := p.target()
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return nil, true, err
	}
	p.captured++
	body, err := p.hiding(it)
	p.captured--
	return &captured{slot, body, it.off}, true, err
}

// hiding compiles the body of a tag in which secrets may not stand.
func (p *parser) hiding(it item) (block, error) {
	outer := p.hidden
	p.hidden = it.name
	body, _, err := p.body(it, "end"+it.name)
	p.hidden = outer
	return body, err
}

func (p *parser) ifChanged(it item) (node, bool, error) {
	if err := p.nothing(it); err != nil {
		return nil, false, err
	}
	body, err := p.hiding(it)
	return &ifChanged{body, it.off}, body.blank, err
}

func (p *parser) interrupt(it item) (node, bool, error) {
	err := errBreak
	if it.name == "continue" {
		err = errContinue
	}
	return &interrupt{err}, false, p.nothing(it)
}

func (p *parser) counter(it item) (node, bool, error) {
	if err := p.begin(it); err != nil {
		return nil, false, err
	}
	slot, err := p.target()
	if err == nil {
		err = p.end()
	}
	return &counter{slot, it.name == "decrement", it.off}, false, err
}

func (p *parser) abort(it item) (node, bool, error) {
	if err := p.begin(it); err != nil {
		return nil, true, err
	}
	message, err := p.filtered()
	return &abortion{message, it.off}, true, err
}
