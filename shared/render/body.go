package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postino/postino/shared/liquid"
	"github.com/postino/postino/shared/webhook"
)

// text is a body of raw text.
type text struct {
	kind     kind
	template *liquid.Template
}

// lastFilter is what every output of a raw text must end in, so that no event
// ends its place; the first one is what an error proposes.
var lastFilter = map[kind][]string{
	jsonText: {"json"},
	form:     {"url_encode"},
	xmlText:  {"escape", "escape_once", "h"},
}

func (c *compiler) text(k kind, source string) body {
	t := c.parse("request.body", source)
	if t == nil {
		return nil
	}
	filters := lastFilter[k]
	for _, o := range t.Outputs() {
		if filters == nil || o.Secret != "" || o.Captured || slices.Contains(filters, o.Filter) {
			continue
		}
		c.fault("request.body", "line %d, column %d: {{ %s }} must end in | %s", o.Line, o.Column, o.Expression, filters[0])
	}
	return &text{k, t}
}

// encodings of a secret in a raw text, by its kind.
var encodings = map[kind]string{jsonText: EncodeJSON, form: EncodeForm, xmlText: EncodeXML}

func (b *text) render(s *scope) (webhook.Text, error) {
	return s.render(b.template, nil, func([]byte) string { return encodings[b.kind] })
}

func (b *text) secrets() []string { return b.template.Secrets() }

// tree is a body of JSON whose strings and keys are templates.
type tree struct {
	kind     nodeKind
	literal  liquid.Value     // constant
	template *liquid.Template // lone or mixed
	items    []*tree          // array
	members  []member         // object
}

type nodeKind int

const (
	constant nodeKind = iota
	lone              // keeps the value's type
	mixed             // a string
	array
	object
)

type member struct {
	name  *liquid.Template
	value *tree
}

// maxTree bounds the depth of a body as its owner writes it.
const maxTree = 32

// tree compiles a JSON value. Names in faults are those of the source.
func (c *compiler) tree(field string, v liquid.Value) body {
	t := c.node(field, v, 0)
	if t == nil {
		return nil
	}
	return t
}

func (c *compiler) node(field string, v liquid.Value, depth int) *tree {
	if depth > maxTree {
		c.fault(field, "want at most %d levels", maxTree)
		return nil
	}
	switch {
	case v.IsString():
		return c.leaf(field, v)
	case v.IsObject():
		return c.object(field, v, depth)
	case v.IsArray():
		t := &tree{kind: array}
		for i, item := range v.Items() {
			t.items = append(t.items, c.node(fmt.Sprintf("%s[%d]", field, i), item, depth+1))
		}
		return t
	}
	return &tree{kind: constant, literal: v}
}

func (c *compiler) leaf(field string, v liquid.Value) *tree {
	t := c.parse(field, v.Text())
	switch {
	case t == nil:
		return nil
	case t.Constant():
		return &tree{kind: constant, literal: v}
	case t.Lone():
		return &tree{kind: lone, template: t}
	}
	return &tree{kind: mixed, template: t}
}

func (c *compiler) object(field string, v liquid.Value, depth int) *tree {
	t := &tree{kind: object}
	for name, value := range v.Members() {
		key := c.parse(field+"."+name, name)
		t.members = append(t.members, member{key, c.node(field+"."+name, value, depth+1)})
	}
	return t
}

func (t *tree) render(s *scope) (webhook.Text, error) {
	var w writer
	err := t.write(s, &w)
	return w.text(), err
}

func (t *tree) write(s *scope, w *writer) error {
	switch t.kind {
	case constant:
		w.b = t.literal.AppendJSON(w.b)
	case lone:
		v, err := s.eval(t.template)
		if err != nil {
			return err
		}
		w.b = v.AppendJSON(w.b)
	case mixed:
		return t.quote(s, w, t.template)
	case array:
		return t.writeArray(s, w)
	case object:
		return t.writeObject(s, w)
	}
	return w.check()
}

// quote writes a template's text as a JSON string.
func (t *tree) quote(s *scope, w *writer, source *liquid.Template) error {
	segments, err := s.segments(source, nil)
	if err != nil {
		return err
	}
	w.b = append(w.b, '"')
	for _, g := range segments {
		if g.Secret != "" {
			w.insert(g.Secret, EncodeJSON)
			continue
		}
		quoted := liquid.AppendQuoted(nil, g.Text)
		w.b = append(w.b, quoted[1:len(quoted)-1]...)
	}
	w.b = append(w.b, '"')
	return w.check()
}

func (t *tree) writeArray(s *scope, w *writer) error {
	w.b = append(w.b, '[')
	for i, item := range t.items {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		if err := item.write(s, w); err != nil {
			return err
		}
	}
	w.b = append(w.b, ']')
	return w.check()
}

// writeObject writes members in their order. Two keys that render alike would
// be read differently by different subscribers, so they are an error.
func (t *tree) writeObject(s *scope, w *writer) error {
	seen := make(map[string]bool, len(t.members))
	w.b = append(w.b, '{')
	for i, m := range t.members {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		start := len(w.b)
		if err := t.quote(s, w, m.name); err != nil {
			return err
		}
		key := string(w.b[start:])
		if seen[key] {
			return &Skip{webhook.ReasonRenderError, "body: two keys render to " + key}
		}
		seen[key] = true
		w.b = append(w.b, ':')
		if err := m.value.write(s, w); err != nil {
			return err
		}
	}
	w.b = append(w.b, '}')
	return w.check()
}

func (t *tree) secrets() []string {
	var names []string
	if t.template != nil {
		names = append(names, t.template.Secrets()...)
	}
	for _, item := range t.items {
		names = append(names, item.secrets()...)
	}
	for _, m := range t.members {
		names = append(append(names, m.name.Secrets()...), m.value.secrets()...)
	}
	return names
}

// writer collects a body and the places of its secrets.
type writer struct {
	b       []byte
	inserts []webhook.Insert
}

func (w *writer) insert(secret, encode string) {
	w.inserts = append(w.inserts, webhook.Insert{At: len(w.b), Secret: secret, Encode: encode})
}

func (w *writer) check() error {
	if len(w.b) > webhook.MaxBodySize {
		return &Skip{webhook.ReasonTooLarge, fmt.Sprintf("body is larger than %d bytes", webhook.MaxBodySize)}
	}
	return nil
}

func (w *writer) text() webhook.Text { return webhook.Text{Plain: string(w.b), Inserts: w.inserts} }

// formBody is an object that is written as a form.
type formBody struct{ fields []member }

// form compiles an object of strings, numbers, booleans, and arrays of these.
func (c *compiler) form(v liquid.Value) body {
	if !v.IsObject() {
		c.fault("request.body", "want an object, or a string of text, for a form")
		return nil
	}
	f := &formBody{}
	for name, value := range v.Members() {
		field := "request.body." + name
		if value.IsObject() {
			c.fault(field, "a form has no nested objects")
			continue
		}
		if i := nested(value); i >= 0 {
			c.fault(fmt.Sprintf("%s[%d]", field, i), "a form has no nested values")
			continue
		}
		f.fields = append(f.fields, member{c.parse(field, name), c.node(field, value, maxTree-1)})
	}
	return f
}

// nested returns the index of the first item that is a list or object, or -1.
func nested(v liquid.Value) int {
	for i, item := range v.Items() {
		if item.IsObject() || item.IsArray() {
			return i
		}
	}
	return -1
}

func (f *formBody) render(s *scope) (webhook.Text, error) {
	var w writer
	for _, field := range f.fields {
		values := []*tree{field.value}
		if field.value.kind == array {
			values = field.value.items
		}
		for _, v := range values {
			if err := f.pair(s, &w, field.name, v); err != nil {
				return w.text(), err
			}
		}
	}
	return w.text(), w.check()
}

// pair writes name=value; a value of null is left out.
func (f *formBody) pair(s *scope, w *writer, name *liquid.Template, v *tree) error {
	if v.kind == constant || v.kind == lone {
		value := v.literal
		if v.kind == lone {
			var err error
			if value, err = s.eval(v.template); err != nil {
				return err
			}
		}
		if value.IsNull() {
			return nil
		}
		return f.write(s, w, name, []liquid.Segment{{Text: value.Text()}})
	}
	segments, err := s.segments(v.template, nil)
	if err != nil {
		return err
	}
	return f.write(s, w, name, segments)
}

func (f *formBody) write(s *scope, w *writer, name *liquid.Template, value []liquid.Segment) error {
	if len(w.b) > 0 {
		w.b = append(w.b, '&')
	}
	key, err := s.segments(name, nil)
	if err != nil {
		return err
	}
	w.encodeForm(key)
	w.b = append(w.b, '=')
	w.encodeForm(value)
	return w.check()
}

func (w *writer) encodeForm(segments []liquid.Segment) {
	for _, g := range segments {
		if g.Secret != "" {
			w.insert(g.Secret, EncodeForm)
			continue
		}
		w.b = append(w.b, strings.ReplaceAll(encodeQuery(g.Text), "%20", "+")...)
	}
}

func (f *formBody) secrets() []string {
	return (&tree{kind: object, members: f.fields}).secrets()
}
