package pattern

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kind says what a JSON value is.
type Kind uint8

// The kinds of JSON values.
const (
	Null Kind = iota
	False
	True
	Number
	String
	Array
	Object
)

// A node is one JSON value of a tree.
type node struct {
	kind       Kind
	made       bool    // by spreading keys with dots: not in the text as such
	comparable bool    // a number that num holds exactly
	num        float64 // meaningful when comparable
	text       string  // String: decoded; otherwise as raw
	raw        string  // as written; "" when made
	lo, hi     int32   // Array, Object: kids[lo:hi]; an object's are sorted by name
}

// A kid is a member of an object, or an element of an array (without a name).
type kid struct {
	name string
	node int32
}

// A tree holds decoded JSON: one decoded form for everything that decides.
type tree struct {
	nodes []node
	kids  []kid
	twice bool // values meet at one path: some array is made
}

func (t *tree) members(n int32) []kid {
	return t.kids[t.nodes[n].lo:t.nodes[n].hi]
}

// member returns the member of object n called name, or -1.
func (t *tree) member(n int32, name string) int32 {
	kids := t.members(n)
	if len(kids) > 8 {
		i, ok := slices.BinarySearchFunc(kids, name, func(k kid, name string) int { return strings.Compare(k.name, name) })
		if !ok {
			return -1
		}
		return kids[i].node
	}
	for i := range kids {
		if kids[i].name == name {
			return kids[i].node
		}
	}
	return -1
}

// add appends a node whose kids are given, and returns its place.
func (t *tree) add(n node, kids []kid) int32 {
	n.lo = int32(len(t.kids))
	t.kids = append(t.kids, kids...)
	n.hi = int32(len(t.kids))
	t.nodes = append(t.nodes, n)
	return int32(len(t.nodes) - 1)
}

// A parser reads strict JSON (RFC 8259): no duplicate keys, no invalid UTF-8, no lone surrogates, nothing after
// the value. Strings without escapes share the memory of the text.
type parser struct {
	*tree
	text  string
	at    int
	depth int    // levels of nesting still allowed
	where string // the field that holds the text
	stack []kid  // members of the containers that are still open
	path  []crumb
	dots  bool // some key has a dot
}

// A crumb is a step on the way to the value that is being read.
type crumb struct {
	name  string
	index int // of an element; -1 for a member
}

// parse adds the value in text to t and returns its place. Faults name a path that begins with where.
func (t *tree) parse(text, where string, depth int) (int32, bool, *Error) {
	p := parser{tree: t, text: text, depth: depth, where: where}
	n, err := p.value()
	if err != nil {
		return 0, false, err
	}
	if p.space(); p.at < len(p.text) {
		return 0, false, p.fault("not JSON: something follows the value at byte %d", p.at)
	}
	return n, p.dots, nil
}

func (p *parser) fault(format string, args ...any) *Error {
	field := p.where
	for _, c := range p.path {
		if c.index < 0 {
			field += "." + c.name
		} else {
			field += "[" + strconv.Itoa(c.index) + "]"
		}
	}
	return &Error{Field: field, Detail: fmt.Sprintf(format, args...)}
}

func (p *parser) unexpected() *Error {
	if p.at >= len(p.text) {
		return p.fault("not JSON: it ends too early")
	}
	return p.fault("not JSON: unexpected %q at byte %d", p.text[p.at], p.at)
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// next skips space and returns the byte there, 0 at the end.
func (p *parser) next() byte {
	if p.space(); p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) value() (int32, *Error) {
	switch c := p.next(); {
	case c == '{':
		return p.container(Object, '}')
	case c == '[':
		return p.container(Array, ']')
	case c == '"':
		from := p.at
		text, err := p.str()
		if err != nil {
			return 0, err
		}
		return p.add(node{kind: String, text: text, raw: p.text[from:p.at]}, nil), nil
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	for kind, word := range [...]string{Null: "null", False: "false", True: "true"} {
		if strings.HasPrefix(p.text[p.at:], word) {
			p.at += len(word)
			return p.add(node{kind: Kind(kind), text: word, raw: word}, nil), nil
		}
	}
	return 0, p.unexpected()
}

// container reads an object or an array, whose opening byte is next.
func (p *parser) container(kind Kind, end byte) (int32, *Error) {
	from, base := p.at, len(p.stack)
	if p.depth--; p.depth < 0 {
		return 0, p.fault("nested too deeply")
	}
	p.at++
	for p.next() != end {
		if len(p.stack) > base {
			if p.next() != ',' {
				return 0, p.unexpected()
			}
			p.at++
		}
		if err := p.element(kind, len(p.stack)-base); err != nil {
			return 0, err
		}
	}
	p.at++
	p.depth++
	kids := p.stack[base:]
	if kind == Object {
		if err := p.sort(kids); err != nil {
			return 0, err
		}
	}
	n := p.add(node{kind: kind, raw: p.text[from:p.at]}, kids)
	p.stack = p.stack[:base]
	return n, nil
}

// element reads one member or element onto the stack.
func (p *parser) element(kind Kind, index int) *Error {
	step := crumb{index: index}
	if kind == Object {
		var err *Error
		if p.next() != '"' {
			return p.unexpected()
		}
		step.index = -1
		if step.name, err = p.str(); err != nil {
			return err
		}
		if p.next() != ':' {
			return p.unexpected()
		}
		p.at++
		p.dots = p.dots || strings.IndexByte(step.name, '.') >= 0
	}
	p.path = append(p.path, step)
	n, err := p.value()
	if err != nil {
		return err
	}
	p.path = p.path[:len(p.path)-1]
	p.stack = append(p.stack, kid{step.name, n})
	return nil
}

// sort orders the members of an object and refuses duplicates.
func (p *parser) sort(kids []kid) *Error {
	sortKids(kids)
	for i := 1; i < len(kids); i++ {
		if kids[i].name == kids[i-1].name {
			p.path = append(p.path, crumb{kids[i].name, -1})
			return p.fault("this key appears twice")
		}
	}
	return nil
}

func sortKids(kids []kid) {
	slices.SortFunc(kids, func(a, b kid) int { return strings.Compare(a.name, b.name) })
}
