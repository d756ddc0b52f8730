package openapi_test

import (
	"strings"
	"testing"
)

func TestEveryExampleIsValid(t *testing.T) {
	d := open(t, true)
	n := 0
	walk(d.root, "#", func(place string, o object) {
		schema, described := o["schema"]
		for _, example := range examples(o) {
			if !described {
				continue
			}
			n++
			if err := d.judge(schema, example); err != nil {
				t.Errorf("%s: %v", place, err)
			}
		}
	})
	for name, schema := range d.at("#/components/schemas").(object) {
		list, _ := schema.(object)["examples"].([]any)
		for _, example := range list {
			n++
			if err := d.judge(object{"$ref": "#/components/schemas/" + name}, example); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if n < 60 {
		t.Errorf("%d examples, want some for most of it", n)
	}
}

func TestEveryBodyHasAnExample(t *testing.T) {
	d := open(t, false)
	for _, op := range d.operations() {
		bodies := []any{op.is["requestBody"]}
		for _, response := range op.is["responses"].(object) {
			bodies = append(bodies, response)
		}
		for _, body := range bodies {
			content, _ := d.resolve(body)["content"].(object)
			for media, is := range content {
				if len(d.shown(is.(object))) == 0 && !isFile(media) {
					t.Errorf("%s has no example of a body of %s: %v", op, media, is)
				}
			}
		}
	}
}

// shown are the examples of a body, its own or its schema's.
func (d *document) shown(media object) []any {
	of, _ := d.resolve(media["schema"])["examples"].([]any)
	return append(examples(media), of...)
}

// examples are those beside a schema: of media types, parameters and headers.
func examples(o object) (list []any) {
	if example, ok := o["example"]; ok {
		list = append(list, example)
	}
	named, _ := o["examples"].(object)
	for _, example := range named {
		if e, ok := example.(object); ok {
			list = append(list, e["value"])
		}
	}
	return list
}

// walk visits all objects of the description but what examples hold.
func walk(v any, place string, visit func(place string, o object)) {
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			walk(element, place+"/-", visit)
		}
	case object:
		visit(place, v)
		for name, member := range v {
			if name != "example" && name != "examples" {
				walk(member, place+"/"+name, visit)
			}
		}
	}
}

func TestEveryOperationIsDescribedInFull(t *testing.T) {
	d := open(t, false)
	ids := map[any]bool{}
	for _, op := range d.operations() {
		if ids[op.is["operationId"]] || op.is["operationId"] == nil || op.is["summary"] == nil || op.is["description"] == nil || op.is["tags"] == nil || op.is["security"] == nil {
			t.Errorf("%s lacks an operationId of its own, a summary, a description, a tag or who may call it", op)
		}
		ids[op.is["operationId"]] = true
		if path := placeholders(op.path); path != d.pathParameters(op) {
			t.Errorf("%s has the parameters %s in its path, and describes %s", op, path, d.pathParameters(op))
		}
	}
}

// TestNoDescriptionIsCutShort looks for what YAML makes of an unquoted comma.
func TestNoDescriptionIsCutShort(t *testing.T) {
	walk(open(t, false).root, "#", func(place string, o object) {
		for name, value := range o {
			if value == nil {
				t.Errorf("%s: %q says nothing", place, name)
			}
		}
	})
}

func placeholders(path string) (names string) {
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "{") {
			names += part
		}
	}
	return names
}

func (d *document) pathParameters(op operation) (names string) {
	parameters, _ := op.is["parameters"].([]any)
	for _, p := range parameters {
		if parameter := d.resolve(p); parameter["in"] == "path" {
			names += "{" + parameter["name"].(string) + "}"
		}
	}
	return names
}
