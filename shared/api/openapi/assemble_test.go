package openapi_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/postino/postino/shared/api/openapi"
)

var update = flag.Bool("update", false, "write openapi.json, exact.json and docs.html anew")

// object is a JSON object.
type object = map[string]any

func TestFilesAreUpToDate(t *testing.T) {
	doc, err := assemble("source")
	if err != nil {
		t.Fatal(err)
	}
	exact, err := os.ReadFile("exact.json")
	if err != nil && !*update {
		t.Fatal(err)
	}
	document, err := encode(withoutNotes(doc))
	if err != nil {
		t.Fatal(err)
	}
	generated, err := encode(forGenerators(doc))
	if err != nil {
		t.Fatal(err)
	}
	page, err := render(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []struct {
		name      string
		got, want []byte
	}{
		{"openapi.json", openapi.Document, generated},
		{"exact.json", exact, document},
		{"docs.html", openapi.Page, page},
	} {
		switch {
		case bytes.Equal(file.got, file.want):
		case *update:
			if err := os.WriteFile(file.name, file.want, 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("%s is not what source/ makes: run go generate ./shared/api/openapi", file.name)
		}
	}
}

// assemble reads a folder's files and puts them together.
func assemble(folder string) (object, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	doc := object{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var part object
		if err := yaml.Unmarshal(text, &part); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if err := merge(doc, part, filepath.Base(file)); err != nil {
			return nil, err
		}
	}
	for path, item := range doc["paths"].(object) {
		complete(path, item.(object))
	}
	addTypes(doc["components"].(object)["schemas"])
	addCodes(doc["components"].(object)["schemas"])
	return doc, nil
}

// merge adds a part. Files may share lists of paths and of components; nothing
// may be said twice.
func merge(into, part object, place string) error {
	for name, value := range part {
		old, twice := into[name]
		if !twice {
			into[name] = value
			continue
		}
		list := name == "paths" || name == "components" || strings.HasSuffix(place, ".yaml/components")
		if !list {
			return fmt.Errorf("%s/%s is there already", place, name)
		}
		if err := merge(old.(object), value.(object), place+"/"+name); err != nil {
			return err
		}
	}
	return nil
}

func TestNothingIsDescribedTwice(t *testing.T) {
	for _, tt := range []struct {
		part object
		well bool
	}{
		{object{"components": object{"schemas": object{"B": object{}}}, "paths": object{"/b": object{}}}, true},
		{object{"components": object{"schemas": object{"A": object{"type": "string"}}}}, false},
		{object{"paths": object{"/a": object{"get": object{}}}}, false},
		{object{"info": object{}}, false},
	} {
		all := object{"info": object{}, "components": object{"schemas": object{"A": object{}}}, "paths": object{"/a": object{}}}
		if err := merge(all, tt.part, "part.yaml"); (err == nil) != tt.well {
			t.Errorf("%v beside %v: %v, want well = %v", tt.part, all, err, tt.well)
		}
	}
}

// shared are the answers of all operations that are so.
var shared = []struct {
	status, name string
	of           func(operation object) bool
}{
	{"400", "BadRequest", always},
	{"401", "Unauthorized", secured},
	{"403", "Forbidden", secured},
	{"404", "NotFound", secured},
	{"413", "TooLarge", func(op object) bool { return op["requestBody"] != nil }},
	{"415", "Unsupported", needsBody},
	{"422", "Invalid", always},
	{"429", "TooMany", always},
	{"500", "Fault", always},
	{"503", "Busy", always},
}

func always(object) bool { return true }

func secured(op object) bool {
	security, said := op["security"].([]any)
	return !said || len(security) > 0
}

func needsBody(op object) bool {
	body, _ := op["requestBody"].(object)
	required, _ := body["required"].(bool)
	return required
}

// statuses are those of the answers that components have, by name.
var statuses = func() map[string]string {
	all := map[string]string{"MethodNotAllowed": "405", "Conflict": "409"}
	for _, s := range shared {
		all[s.name] = s.status
	}
	return all
}()

// complete adds to a path's operations what they share.
func complete(path string, item object) {
	for method, op := range item {
		addTenant(path, op.(object))
		nameRoles(op.(object))
		responses := op.(object)["responses"].(object)
		if _, own := responses["409"]; !own && method != "get" && strings.Contains(path, "{tenant}") && !(method == "delete" && strings.HasSuffix(path, "{tenant}")) {
			responses["409"] = object{"$ref": "#/components/responses/Conflict"} // the tenant is being deleted
		}
		for _, s := range shared {
			if _, own := responses[s.status]; !own && s.of(op.(object)) {
				responses[s.status] = object{"$ref": "#/components/responses/" + s.name}
			}
		}
	}
}

// addTenant makes the tenant the first parameter: generators of code give their
// methods the parameters in this order.
func addTenant(path string, op object) {
	if strings.Contains(path, "{tenant}") {
		own, _ := op["parameters"].([]any)
		op["parameters"] = append([]any{object{"$ref": "#/components/parameters/tenantPath"}}, own...)
	}
}

// nameRoles moves the roles out of the security requirement, which by OpenAPI
// names the scopes of OAuth2 only.
func nameRoles(op object) {
	for _, requirement := range op["security"].([]any) {
		op["x-roles"] = requirement.(object)["key"]
		op["security"] = []any{object{"key": []any{}}}
	}
}
