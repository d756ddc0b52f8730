package liquid

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/postino/postino/shared/language/suggest"
)

// parser compiles one template.
type parser struct {
	template *Template
	options  Options
	stream   stream
	scanner  *scanner
	tokens   []token // of the expression at hand
	at       int     // the next of them
	items    int     // outputs and tags so far
	passed   int     // tokens in them
	depth    int     // of blocks
	brackets int     // of the expression at hand
	captured int     // captures around this place
	hidden   string  // the tag around this place in which secrets may not stand
	assigned map[string]bool
	own      map[string]bool // of assigned, those that the template itself sets
	members  []member        // that it reads, if they are judged
	read     map[string]int  // where a variable is read first
	last     struct{ off, line, column int }
}

// node is a piece of a compiled template.
type node interface {
	render(r *run) error
}

// block is a sequence of nodes. A blank one prints nothing but space, and then not even that.
type block struct {
	nodes []node
	blank bool
}

func (p *parser) parse() error {
	p.scanner = &scanner{src: p.template.source}
	p.stream = p.scanner
	p.assigned, p.read = map[string]bool{"forloop": true, "tablerowloop": true}, map[string]int{}
	p.own = map[string]bool{}
	body, _, err := p.body(item{})
	if err != nil {
		return err
	}
	t := p.template
	t.body = body
	t.weight = p.weight()
	t.constant = t.source == t.Prefix()
	if len(body.nodes) == 1 && p.scanner.count == 1 {
		if out, ok := body.nodes[0].(*output); ok && out.secret == "" {
			t.lone = out.value
		}
	}
	for _, name := range t.names {
		if off, ok := p.read[name]; ok && !p.assigned[name] {
			line, column := p.place(off)
			t.roots = append(t.roots, Root{name, line, column})
		}
	}
	return p.judge()
}

// body reads nodes up to one of the tags that end it, which it returns.
func (p *parser) body(opened item, ends ...string) (block, item, error) {
	b := block{blank: true}
	if p.depth++; p.depth > MaxNesting+1 {
		return b, item{}, &faultAt{opened.off, faultf("%s is nested deeper than %d", opened.name, MaxNesting).Error()}
	}
	defer func() { p.depth-- }()
	for {
		it, err := p.stream.next()
		if err != nil {
			return b, it, err
		}
		if it.kind == itemEnd {
			if opened.name != "" && len(ends) > 0 {
				return b, it, notClosed(opened)
			}
			return b, it, nil
		}
		if it.kind == itemTag && slices.Contains(ends, it.name) {
			return b, it, nil
		}
		if err := p.piece(&b, opened, it); err != nil {
			return b, it, err
		}
	}
}

// piece adds what it compiles to.
func (p *parser) piece(b *block, opened, it item) error {
	switch {
	case it.kind == itemText:
		b.addText(it)
		return nil
	case it.kind == itemOutput:
		p.items++
		b.blank = false
		out, err := p.output(it, true)
		if out != nil {
			b.nodes = append(b.nodes, out)
		}
		return err
	case it.name == "liquid":
		return p.liquid(b, it)
	}
	p.items++
	parse, ok := tags[it.name]
	if !ok {
		return misplaced(opened, it)
	}
	n, blank, err := parse(p, it)
	b.blank = b.blank && blank
	if n != nil {
		b.nodes = append(b.nodes, n)
	}
	return err
}

// misplaced explains a tag that nothing begins with.
func misplaced(opened, it item) error {
	message := "unknown tag " + quote(it.name) + suggest.Hint(it.name, slices.Sorted(maps.Keys(tags)))
	switch {
	case it.name == "else" || it.name == "elsif" || it.name == "when":
		message = it.name + " stands outside of its block"
	case strings.HasPrefix(it.name, "end") && tags[it.name[3:]] != nil:
		if message = it.name + " closes nothing"; opened.name != "" {
			message = it.name + " does not close " + opened.name + ": want end" + opened.name
		}
	}
	return &faultAt{it.off, message}
}

func quote(s string) string { return `"` + s + `"` }

// addText appends literal text, to the text before it if there is any.
func (b *block) addText(it item) {
	if it.text == "" {
		return
	}
	b.blank = b.blank && strings.Trim(it.text, spaces) == ""
	b.nodes = append(b.nodes, &literalText{it.text, it.off})
}

// dropText removes the space of blank blocks, if all of a tag's blocks are blank.
func dropText(blocks ...*block) bool {
	for _, b := range blocks {
		if !b.blank {
			return false
		}
	}
	for _, b := range blocks {
		b.nodes = slices.DeleteFunc(b.nodes, func(n node) bool { _, text := n.(*literalText); return text })
	}
	return true
}

// liquid compiles the lines of the tag liquid, as if each were a tag here.
func (p *parser) liquid(b *block, it item) error {
	outer := p.stream
	p.stream = &lines{src: p.template.source, pos: it.inside, end: it.inside + len(it.text)}
	inner, _, err := p.body(item{name: "liquid", off: it.off})
	p.stream = outer
	b.nodes = append(b.nodes, inner.nodes...)
	b.blank = b.blank && inner.blank
	return err
}

// place is [place] for offsets that mostly grow.
func (p *parser) place(off int) (line, column int) {
	last := &p.last
	if last.line == 0 || off < last.off {
		last.off, last.line, last.column = 0, 1, 1
	}
	passed := p.template.source[last.off:off]
	if n := strings.Count(passed, "\n"); n > 0 {
		last.line += n
		last.column = 1
		passed = passed[strings.LastIndexByte(passed, '\n')+1:]
	}
	last.column += utf8.RuneCountInString(passed)
	last.off = off
	return last.line, last.column
}
