package openapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// object is a JSON object.
type object = map[string]any

// document is the description, ready to judge with.
type document struct {
	root object

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	inline   int
}

// operation is one method of one path.
type operation struct {
	method, path string
	is           object
}

// exact is the description with its exact schemas. The one that is served has
// simpler ones, where generators of code need them.
const exact = "../../../shared/api/openapi/exact.json"

// open reads the exact description. A closed one also refuses fields of answers
// that it does not name, which callers must expect, but which are not to appear
// unnoticed.
func open(t testing.TB, closed bool) *document {
	t.Helper()
	text, err := os.ReadFile(exact)
	if err != nil {
		t.Fatal(err)
	}
	return openText(t, text, closed)
}

// openText reads a description.
func openText(t testing.TB, text []byte, closed bool) *document {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	d := &document{root: v.(object), compiler: jsonschema.NewCompiler()}
	if closed {
		for _, schema := range d.at("#/components/schemas").(object) {
			closeObjects(schema)
		}
	}
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource("api.json", d.root); err != nil {
		t.Fatal(err)
	}
	return d
}

// closeObjects has objects refuse what they do not name.
func closeObjects(schema any) {
	s, ok := schema.(object)
	if !ok {
		return
	}
	properties, isObject := s["properties"].(object)
	if _, said := s["additionalProperties"]; isObject && !said {
		s["additionalProperties"] = false
	}
	for _, p := range properties {
		closeObjects(p)
	}
	closeObjects(s["items"])
	alternatives, _ := s["oneOf"].([]any)
	for _, a := range alternatives {
		closeObjects(a)
	}
}

// at follows a reference such as "#/components/schemas/Event".
func (d *document) at(ref string) any {
	found := any(d.root)
	for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		found = found.(object)[name]
	}
	return found
}

// resolve is the object itself, or what it refers to.
func (d *document) resolve(v any) object {
	o, _ := v.(object)
	if ref, ok := o["$ref"].(string); ok {
		return d.at(ref).(object)
	}
	return o
}

// operations lists all, by path and method.
func (d *document) operations() (list []operation) {
	for path, item := range d.root["paths"].(object) {
		for method, is := range item.(object) {
			if method != "parameters" {
				list = append(list, operation{strings.ToUpper(method), path, is.(object)})
			}
		}
	}
	slices.SortFunc(list, func(a, b operation) int { return strings.Compare(a.String(), b.String()) })
	return list
}

func (o operation) String() string { return o.method + " " + o.path }

// roles are the tenant keys that may call it; nil if no key is needed.
func (o operation) roles() []any {
	roles, _ := o.is["x-roles"].([]any)
	return roles
}

// body is the request's content by media type, and whether it must be there.
func (d *document) body(o operation) (content object, required bool) {
	body := d.resolve(o.is["requestBody"])
	content, _ = body["content"].(object)
	required, _ = body["required"].(bool)
	return content, required
}

// find returns the operations of a real path by method; none if there is no
// such path. Of several, the one with the fewest parameters is meant.
func (d *document) find(path string) map[string]operation {
	var found map[string]operation
	best := ""
	for template, item := range d.root["paths"].(object) {
		if !fits(template, path) || best != "" && strings.Count(template, "{") > strings.Count(best, "{") {
			continue
		}
		found, best = map[string]operation{}, template
		for method, is := range item.(object) {
			if method != "parameters" {
				found[strings.ToUpper(method)] = operation{strings.ToUpper(method), template, is.(object)}
			}
		}
	}
	return found
}

func fits(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	return len(want) == len(got) && !slices.ContainsFunc(want, func(s string) bool {
		i := slices.Index(want, s)
		return !strings.HasPrefix(s, "{") && s != got[i] || strings.HasPrefix(s, "{") && got[i] == ""
	})
}

// judge validates JSON, decoded with numbers as they are written.
func (d *document) judge(schema, value any) error {
	compiled, err := d.compile(schema)
	if err != nil {
		return err
	}
	return compiled.Validate(value)
}

func (d *document) compile(schema any) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := schema.(object)
	if ref, ok := s["$ref"].(string); ok && len(s) == 1 {
		return d.compiler.Compile("api.json" + ref)
	}
	text, err := json.Marshal(schema)
	if err != nil {
		return nil, err
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.ReplaceAll(string(text), `"#/`, `"api.json#/`)))
	if err != nil {
		return nil, err
	}
	d.inline++
	name := fmt.Sprintf("inline%d.json", d.inline)
	if err := d.compiler.AddResource(name, v); err != nil {
		return nil, err
	}
	return d.compiler.Compile(name)
}

// parse decodes JSON for [document.judge].
func parse(t testing.TB, text string) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}
