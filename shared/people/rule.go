package people

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/language/suggest"
	"github.com/postino/postino/shared/webhook"
)

// Fault is what is wrong with a field.
type Fault struct{ Field, Detail string }

// Rule is a compiled rule of a computed attribute.
type Rule struct {
	Name       string
	Generation string
	types      []string
	filter     *pattern.Pattern // nil: every event
	keep       keeping
	literal    *pattern.Value // what is kept, if it does not come from the event
	value      pattern.Path
	subject    *pattern.Path // nil: the event's subject
}

// weight is about how many bytes of memory a rule takes.
func (r *Rule) weight() int {
	n := definitionWeight
	for _, typ := range r.types {
		n += 16 + len(typ)
	}
	if r.filter != nil {
		n += r.filter.Weight()
	}
	return n
}

// spec is a rule as it is written.
type spec struct {
	Types   []string        `json:"types,omitempty"`
	Filter  json.RawMessage `json:"filter,omitempty"`
	Keep    string          `json:"keep"`
	Value   json.RawMessage `json:"value,omitempty"` // a path as a string, or {"literal": any value}
	Subject string          `json:"subject,omitempty"`
}

var specFields = []string{"types", "filter", "keep", "value", "subject"}

// Compile reads a rule that was stored.
func Compile(stored webhook.AttributeRule) (*Rule, error) {
	r, faults := Read(stored.Name, strictjson.Value(stored.Spec))
	if len(faults) > 0 {
		return nil, fmt.Errorf("attribute %s of %s: %s: %s", stored.Name, stored.Tenant, faults[0].Field, faults[0].Detail)
	}
	r.Generation = stored.Generation
	return r, nil
}

// Read judges and compiles the rule of an attribute.
func Read(name string, body strictjson.Value) (*Rule, []Fault) {
	r, f := &Rule{Name: name}, &reader{}
	if wrong := Name(name); wrong != "" {
		f.add("name", "%s", wrong)
	}
	if body.Kind() != strictjson.Object {
		f.add("body", "want an object")
		return nil, f.faults
	}
	var s spec
	for field, v := range body.Members() {
		if !slices.Contains(specFields, field) {
			f.unknown(field, specFields)
			continue
		}
		if v.Kind() != strictjson.Null {
			f.field(&s, field, v)
		}
	}
	if len(f.faults) == 0 {
		r.compile(s, f)
	}
	return r, f.faults
}

// reader collects what is wrong.
type reader struct{ faults []Fault }

func (f *reader) add(field, format string, args ...any) {
	f.faults = append(f.faults, Fault{field, fmt.Sprintf(format, args...)})
}

func (f *reader) unknown(field string, known []string) {
	f.add(field, "unknown field%s", suggest.Hint(field, known))
}

// wrong adds the faults of a pattern or a path.
func (f *reader) wrong(err error) {
	var all pattern.Errors
	var one *pattern.Error
	switch {
	case errors.As(err, &all):
		for _, e := range all {
			f.add(e.Field, "%s", e.Detail)
		}
	case errors.As(err, &one):
		f.add(one.Field, "%s", one.Detail)
	}
}

func (f *reader) field(s *spec, name string, v strictjson.Value) {
	text, isText := v.Text()
	switch name {
	case "types":
		if v.Kind() != strictjson.Array {
			f.add(name, "want a list of event types")
			return
		}
		s.Types = []string{}
		for i, element := range v.Elements() {
			typ, ok := element.Text()
			if !ok {
				f.add(fmt.Sprintf("types[%d]", i), "want a string")
			}
			s.Types = append(s.Types, typ)
		}
	case "filter":
		s.Filter = json.RawMessage(v)
	case "keep":
		if s.Keep = text; !isText {
			f.add(name, "want a string")
		}
	case "value":
		s.Value = json.RawMessage(v)
	case "subject":
		if s.Subject = text; !isText {
			f.add(name, "want a path, such as data.user.id")
		}
	}
}

func (r *Rule) compile(s spec, f *reader) {
	if err := pattern.CheckTypes(s.Types, "types"); err != nil {
		f.wrong(err)
	}
	r.types = s.Types
	var err error
	if s.Filter != nil {
		if r.filter, err = pattern.Compile(s.Filter, "filter"); err != nil {
			f.wrong(err)
		}
	}
	ok := false
	if r.keep, ok = keepings[s.Keep]; !ok {
		ways := slices.Sorted(maps.Keys(keepings))
		f.add("keep", "want one of %s%s", strings.Join(ways, ", "), suggest.Hint(s.Keep, ways))
	} else {
		r.compileValue(s, f)
	}
	if s.Subject != "" {
		path, err := pattern.ParsePath(s.Subject, "subject")
		if err != nil {
			f.wrong(err)
		}
		r.subject = &path
	}
}

// compileValue reads a path, or {"literal": …}.
func (r *Rule) compileValue(s spec, f *reader) {
	v := strictjson.Value(s.Value)
	switch {
	case s.Value == nil:
		if r.keep.value {
			f.add("value", `required with keep %q: a path such as data.mode, or {"literal": "yes"}`, s.Keep)
		}
		return
	case !r.keep.value:
		f.add("value", "must be absent with keep %q", s.Keep)
		return
	}
	if path, isText := v.Text(); isText {
		var err error
		if r.value, err = pattern.ParsePath(path, "value"); err != nil {
			f.wrong(err)
		}
		return
	}
	for name, inner := range v.Members() {
		if name != "literal" || v.Kind() != strictjson.Object {
			break
		}
		if value, ok := valueOf(inner); ok && len(inner) <= MaxValue {
			r.literal = &value
			return
		}
		f.add("value.literal", "want a JSON value of at most %d bytes", MaxValue)
		return
	}
	f.add("value", `want a path such as data.mode, or {"literal": "yes"}`)
}

// effect is what an event does to an attribute of a subject.
type effect struct {
	rule    *Rule
	subject string
	value   pattern.Value
}

// effect is what the event does by this rule.
func (r *Rule) effect(e webhook.Event, d *pattern.Event) (effect, bool) {
	if !pattern.TypesMatch(r.types, e.Type) || r.filter != nil && !r.filter.Match(d) {
		return effect{}, false
	}
	subject := e.Subject
	if r.subject != nil {
		v, _ := d.Lookup(*r.subject)
		subject = subjectOf(v)
	}
	if subject == "" || attribute.Subject(subject) != "" {
		return effect{}, false
	}
	value := pattern.Value{}
	switch {
	case r.literal != nil:
		value = *r.literal
	case r.keep.value:
		found := false
		if value, found = d.Lookup(r.value); !found || value.Kind == pattern.Null {
			return effect{}, false
		}
	}
	return effect{r, subject, value}, true
}

// subjectOf is the subject that a value names: a string, or a number as text.
func subjectOf(v pattern.Value) string {
	if v.Kind == pattern.String || v.Kind == pattern.Number {
		return v.Text
	}
	return ""
}

// valueOf decodes a JSON value.
func valueOf(text strictjson.Value) (v pattern.Value, ok bool) {
	d, err := pattern.Decode(pattern.Envelope{Data: json.RawMessage(text)})
	if err != nil {
		return v, false
	}
	path, err := pattern.ParsePath("data", "")
	if err != nil {
		return v, false
	}
	v, ok = d.Lookup(path)
	return v, ok && v.Kind != pattern.Null
}
