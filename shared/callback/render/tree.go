package render

import (
	"fmt"

	"github.com/postino/postino/shared/language/liquid"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// tree is a body of JSON whose strings and keys are templates.
type tree struct {
	kind     nodeKind
	literal  liquid.Value     // constant
	template *liquid.Template // lone or mixed
	items    []*tree          // array
	members  []member         // object
	chosen   *choice          // chosen
}

type nodeKind int

const (
	constant nodeKind = iota
	lone              // keeps the value's type
	mixed             // a string
	array
	object
	chosen // one of two
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
	if !c.count() {
		return nil
	}
	switch {
	case v.IsString():
		return c.leaf(field, v)
	case asksIf(v):
		return c.choice(field, v, depth)
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
		c.weight += len(v.Text()) - t.Weight() // which is not kept
		return &tree{kind: constant, literal: v}
	case t.Lone():
		return &tree{kind: lone, template: t}
	}
	return &tree{kind: mixed, template: t}
}

func (c *compiler) object(field string, v liquid.Value, depth int) *tree {
	t := &tree{kind: object}
	for name, value := range v.Members() {
		place := field + "." + strictjson.Clip(name, maxShown)
		key := c.parse(place, name)
		t.members = append(t.members, member{key, c.node(place, value, depth+1)})
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
	case chosen:
		return t.writeChosen(s, w)
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
	for _, item := range t.items {
		item, err := item.choose(s)
		if err != nil {
			return err
		}
		if item == nil {
			continue
		}
		if w.b[len(w.b)-1] != '[' {
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
	for _, m := range t.members {
		value, err := m.value.choose(s)
		if err != nil {
			return err
		}
		if value == nil {
			continue
		}
		if len(seen) > 0 {
			w.b = append(w.b, ',')
		}
		start := len(w.b)
		if err := t.quote(s, w, m.name); err != nil {
			return err
		}
		key := string(w.b[start:])
		if seen[key] {
			return &Skip{Reason: webhook.ReasonRenderError, Detail: "body: two keys render to " + key, public: "body: two keys render alike"}
		}
		seen[key] = true
		w.b = append(w.b, ':')
		if err := value.write(s, w); err != nil {
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
	if t.chosen != nil {
		names = append(names, t.chosen.secrets()...)
	}
	return names
}
