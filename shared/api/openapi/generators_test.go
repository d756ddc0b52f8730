package openapi_test

import (
	"reflect"
	"slices"
	"testing"
)

// note is where source/ says what generators of code read instead: a merge
// patch (RFC 7396) of the object that it stands in, or false, which leaves the
// object out. What they cannot make types of is thus free-form to them, and
// exact to validators and readers.
const note = "x-generators"

// forGenerators makes the document that is served.
func forGenerators(doc object) object {
	made := simplify(doc).(object)
	for _, item := range made["paths"].(object) {
		for _, op := range item.(object) {
			if body, _ := op.(object)["requestBody"].(object); body["$ref"] == nothing {
				delete(op.(object), "requestBody")
			}
		}
	}
	delete(made["components"].(object), "requestBodies")
	return made
}

// nothing is the body of requests that need none.
const nothing = "#/components/requestBodies/Nothing"

func simplify(v any) any {
	switch v := v.(type) {
	case []any:
		made := make([]any, 0, len(v))
		for _, e := range v {
			made = append(made, simplify(e))
		}
		return made
	case object:
		patched := patch(without(v, note), v[note])
		for name, member := range patched {
			if m, ok := member.(object); ok && m[note] == false {
				delete(patched, name)
				continue
			}
			patched[name] = simplify(member)
		}
		return splitNull(patched)
	}
	return v
}

// splitNull takes null out of a list of values: most generators make one type
// of the values, and let it be null, only if the two stand apart.
func splitNull(schema object) object {
	values, _ := schema["enum"].([]any)
	if !slices.Contains(values, nil) {
		return schema
	}
	named := slices.DeleteFunc(slices.Clone(values), func(v any) bool { return v == nil })
	made := without(without(schema, "enum"), "type")
	made["oneOf"] = []any{object{"type": typesOf(named), "enum": named}, object{"type": "null"}}
	return made
}

// withoutNotes makes the exact document.
func withoutNotes(v any) any {
	switch v := v.(type) {
	case []any:
		made := make([]any, 0, len(v))
		for _, e := range v {
			made = append(made, withoutNotes(e))
		}
		return made
	case object:
		made := object{}
		for name, member := range without(v, note) {
			made[name] = withoutNotes(member)
		}
		return made
	}
	return v
}

func without(o object, name string) object {
	made := object{}
	for n, member := range o {
		if n != name {
			made[n] = member
		}
	}
	return made
}

// patch applies a merge patch to o, which it changes.
func patch(o object, by any) object {
	changes, _ := by.(object)
	for name, change := range changes {
		into, both := o[name].(object)
		switch c := change.(type) {
		case nil:
			delete(o, name)
		case object:
			if both {
				o[name] = patch(without(into, ""), c)
				continue
			}
			o[name] = c
		default:
			o[name] = c
		}
	}
	return o
}

func TestGeneratorsReadWhatTheirNotesSay(t *testing.T) {
	doc := object{
		"a": object{"type": "object", "allOf": []any{1}, "items": object{"x": 1, "y": 2}, note: object{"allOf": nil, "type": "array", "items": object{"y": nil}}},
		"b": object{"type": "string", note: false},
		"e": object{"type": []any{"string", "null"}, "enum": []any{"x", nil}, "description": "d"},
		"c": []any{object{"d": 1, note: object{"d": 2}}},
	}
	if got, want := simplify(doc), any(object{"a": object{"type": "array", "items": object{"x": 1}}, "c": []any{object{"d": 2}},
		"e": object{"description": "d", "oneOf": []any{object{"type": "string", "enum": []any{"x"}}, object{"type": "null"}}}}); !reflect.DeepEqual(got, want) {
		t.Errorf("generators read %v, want %v", got, want)
	}
	if got := withoutNotes(doc).(object)["a"].(object)["items"]; !reflect.DeepEqual(got, object{"x": 1, "y": 2}) {
		t.Errorf("the exact document has %v, want what was there", got)
	}
}

// Each generator breaks on another union. The only one that all understand is
// with null.
func TestGeneratorsReadNoUnionButWithNull(t *testing.T) {
	doc, err := assemble("source")
	if err != nil {
		t.Fatal(err)
	}
	var look func(place string, v any)
	look = func(place string, v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				look(place, e)
			}
		case object:
			for _, kind := range []string{"oneOf", "anyOf", "allOf"} {
				if union, ok := v[kind].([]any); ok && (len(union) != 2 || !reflect.DeepEqual(union[1], object{"type": "null"})) {
					t.Errorf("%s has %s: add an x-generators note beside it, such as {%s: null} for any value", place, kind, kind)
				}
			}
			for name, member := range v {
				if name != "example" && name != "examples" {
					look(place+"/"+name, member)
				}
			}
		}
	}
	look("#", forGenerators(doc))
}
