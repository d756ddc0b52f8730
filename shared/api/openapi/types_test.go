package openapi_test

import (
	"slices"
	"testing"

	"github.com/postino/postino/shared/api/httpapi"
)

// addTypes gives each schema that only lists its values their type: the same
// to a validator, and a better name than "anything" to who generates code.
func addTypes(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			addTypes(e)
		}
	case object:
		values, listed := v["enum"].([]any)
		if only, one := v["const"]; one {
			values, listed = []any{only}, true
		}
		if _, typed := v["type"]; listed && !typed {
			v["type"] = typesOf(values)
		}
		for name, e := range v {
			if name != "example" && name != "examples" && name != "default" && name != "const" && name != "enum" {
				addTypes(e)
			}
		}
	}
}

// typesOf is the type of values, or the list of their types.
func typesOf(values []any) any {
	var names []any
	for _, v := range values {
		name := ""
		switch v.(type) {
		case nil:
			name = "null"
		case string:
			name = "string"
		case bool:
			name = "boolean"
		case int:
			name = "integer"
		case float64:
			name = "number"
		case []any:
			name = "array"
		case object:
			name = "object"
		}
		if !slices.Contains(names, any(name)) {
			names = append(names, name)
		}
	}
	if len(names) == 1 {
		return names[0]
	}
	return names
}

func TestListsOfValuesHaveTheirType(t *testing.T) {
	schema := object{"properties": object{"a": object{"enum": []any{"x", "y", nil}}, "b": []any{object{"const": true}}, "c": object{"enum": []any{"x"}, "type": "string"}}}
	addTypes(schema)
	properties := schema["properties"].(object)
	if got := properties["a"].(object)["type"]; !slices.Equal(got.([]any), []any{"string", "null"}) {
		t.Errorf("a has type %v, want string or null", got)
	}
	if got := properties["b"].([]any)[0].(object)["type"]; got != "boolean" {
		t.Errorf("b has type %v, want boolean", got)
	}
}

// Generated code names parameters, schemas and the rest alike.
func TestNoTwoComponentsAreNamedAlike(t *testing.T) {
	doc, err := assemble("source")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{}
	for kind, components := range doc["components"].(object) {
		if kind == "securitySchemes" {
			continue
		}
		for name := range components.(object) {
			upper := string(name[0]&^0x20) + name[1:]
			if other, twice := kinds[upper]; twice {
				t.Errorf("%s is one of %s and of %s", name, kind, other)
			}
			kinds[upper] = kind
		}
	}
}

// addCodes lists in the schema of problems the codes that there are. Generators
// would make a type of them that refuses the codes of later versions, so they
// read a list that makes no type.
func addCodes(schemas any) {
	var names []any
	for _, c := range httpapi.Codes() {
		names = append(names, c.Name())
	}
	code := schemas.(object)["Problem"].(object)["properties"].(object)["code"].(object)
	code["enum"], code[note] = names, object{"enum": nil, "x-extensible-enum": names}
}
