package render

import (
	"fmt"
	"strings"

	"github.com/postino/postino/shared/language/liquid"
	"github.com/postino/postino/shared/webhook"
)

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

// pair writes name=value; a value of null is left out. Only arrays of the body
// itself repeat a field: one that data holds is a value like any other, JSON.
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
		text := value.Text()
		if value.IsArray() || value.IsObject() {
			text = string(value.AppendJSON(nil))
		}
		return f.write(s, w, name, []liquid.Segment{{Text: text}})
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
