package render

import (
	"errors"
	"strings"

	"github.com/postino/postino/shared/language/liquid"
)

// Members of an object that stands for one of two values, by a condition.
const (
	ifMember   = "$if"
	thenMember = "then"
	elseMember = "else"
)

// choice is {"$if": condition, "then": value, "else": value}.
type choice struct {
	condition *liquid.Template // renders to something if it holds
	then      *tree
	otherwise *tree // nil: there is no value
}

// asksIf reports whether a value is a choice.
func asksIf(v liquid.Value) bool {
	for name := range v.Members() {
		if name == ifMember {
			return true
		}
	}
	return false
}

// The condition is compiled as the tag would be.
const (
	conditionBegins = "{% if "
	conditionEnds   = " %}1{% endif %}"
)

// choice compiles an object with "$if".
func (c *compiler) choice(field string, v liquid.Value, depth int) *tree {
	t, given := &choice{}, false
	for name, member := range v.Members() {
		place := field + "." + name
		switch name {
		case ifMember:
			t.condition = c.condition(place, member)
		case thenMember:
			t.then, given = c.node(place, member, depth+1), true
		case elseMember:
			t.otherwise = c.node(place, member, depth+1)
		default:
			c.fault(place, `beside "$if" there are only "then" and "else"`)
		}
	}
	if !given {
		c.fault(field, `want "then" beside "$if": the value if the condition holds`)
	}
	return &tree{kind: chosen, chosen: t}
}

func (c *compiler) condition(field string, v liquid.Value) *liquid.Template {
	text := strings.TrimSpace(v.Text())
	if inner, lone := strings.CutPrefix(text, "{{"); lone && strings.HasSuffix(inner, "}}") {
		text = strings.TrimSuffix(inner, "}}")
	}
	if !v.IsString() || strings.TrimSpace(text) == "" || strings.ContainsAny(text, "{}") || strings.Contains(text, "%}") {
		c.fault(field, `want a condition as in {%% if … %%}, such as "data.total > 100 and data.vip"`)
		return nil
	}
	t, err := liquid.Parse(conditionBegins+text+conditionEnds, liquid.Options{Judge: c.judge})
	if err != nil {
		c.fault(field, "%v%s", ofCondition(err), foreign(text))
		return nil
	}
	return c.weigh(t)
}

// ofCondition gives an error the column in the condition.
func ofCondition(err error) error {
	var fault *liquid.Error
	if !errors.As(err, &fault) || fault.Line != 1 {
		return err
	}
	moved := *fault
	moved.Column = max(1, fault.Column-len(conditionBegins))
	return &moved
}

// choose follows choices to a value; nil if there is none.
func (t *tree) choose(s *scope) (*tree, error) {
	for t != nil && t.kind == chosen {
		next := t.chosen.otherwise
		holds, err := t.chosen.holds(s)
		if err != nil {
			return nil, err
		}
		if holds {
			next = t.chosen.then
		}
		t = next
	}
	return t, nil
}

func (t *choice) holds(s *scope) (bool, error) {
	segments, err := t.condition.Segments(s.Scope)
	return len(segments) > 0, skip(ofCondition(err))
}

// write writes the value, or null if there is none.
func (t *tree) writeChosen(s *scope, w *writer) error {
	value, err := t.choose(s)
	if err != nil {
		return err
	}
	if value == nil {
		value = &tree{kind: constant, literal: liquid.Null}
	}
	return value.write(s, w)
}

func (t *choice) secrets() []string {
	names := t.then.secrets()
	if t.otherwise != nil {
		names = append(names, t.otherwise.secrets()...)
	}
	return names
}
