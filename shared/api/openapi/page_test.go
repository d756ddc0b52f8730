package openapi_test

import (
	"bytes"
	_ "embed"
	"html/template"
	"slices"
	"strings"
)

//go:embed source/page.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"json":   func(v any) (string, error) { b, err := encode(v); return string(b), err },
	"id":     func(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "-")) },
	"schema": func(ref string) string { return strings.TrimPrefix(ref, "#/components/schemas/") },
	"lines":  func(s string) []string { return strings.Split(s, "\n\n") },
}).Parse(pageText))

// section is the operations of one tag.
type section struct {
	Tag        object
	Operations []operation
}

// operation is one row of the API as the page shows it.
type operation struct {
	Method, Path string
	Roles        []any
	Parameters   []object
	Is           object
	Body         object
	Responses    []response
}

type response struct {
	Status string
	Is     object
	Shared bool // among the errors, where it is shown whole
}

// render makes the page.
func render(doc object) ([]byte, error) {
	var sections []section
	for _, tag := range doc["tags"].([]any) {
		sections = append(sections, section{tag.(object), operations(doc, tag.(object)["name"])})
	}
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, object{
		"Info": doc["info"], "Sections": sections, "Errors": errors(doc), "Schemas": doc["components"].(object)["schemas"],
	})
	return b.Bytes(), err
}

// operations lists those of a tag, by path.
func operations(doc object, tag any) (list []operation) {
	paths := doc["paths"].(object)
	for _, path := range sorted(paths) {
		item := paths[path].(object)
		for _, method := range []string{"post", "get", "put", "patch", "delete"} {
			op, ok := item[method].(object)
			if !ok || op["tags"].([]any)[0] != tag {
				continue
			}
			list = append(list, show(doc, path, method, op))
		}
	}
	return list
}

func show(doc object, path, method string, op object) operation {
	o := operation{Method: strings.ToUpper(method), Path: path, Is: op, Body: resolve(doc, op["requestBody"])}
	o.Roles, _ = op["x-roles"].([]any)
	all, _ := op["parameters"].([]any)
	for _, p := range all {
		o.Parameters = append(o.Parameters, resolve(doc, p))
	}
	responses := op["responses"].(object)
	for _, status := range sorted(responses) {
		_, isRef := responses[status].(object)["$ref"]
		o.Responses = append(o.Responses, response{status, resolve(doc, responses[status]), isRef})
	}
	return o
}

// errors lists the answers that operations share, by status.
func errors(doc object) (list []response) {
	for name, is := range doc["components"].(object)["responses"].(object) {
		list = append(list, response{Status: statuses[name], Is: is.(object)})
	}
	slices.SortFunc(list, func(a, b response) int { return strings.Compare(a.Status, b.Status) })
	return list
}

// resolve follows a reference.
func resolve(doc object, v any) object {
	o, _ := v.(object)
	ref, isRef := o["$ref"].(string)
	if !isRef {
		return o
	}
	found := any(doc)
	for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		found = found.(object)[name]
	}
	return found.(object)
}

func sorted(o object) []string {
	names := make([]string, 0, len(o))
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
