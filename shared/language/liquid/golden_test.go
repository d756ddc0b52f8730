package liquid

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// refused are the templates of testdata/verdicts.jsonl that we refuse on purpose, each with the reason. doc.go says the same.
var refused = map[string]string{
	`{% case title %}{% when 'foo' %}foo{% when 'bar' and 'Hello', 'Hello' %}bar{% endcase %}`: "Ruby ignores what it does not understand in a when; we say so when the template is saved",
}

func TestTheDocumentationNamesEveryRefusal(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for template, reason := range refused {
		if !strings.Contains(string(doc), "//\t"+template+": "+reason+"\n") {
			t.Errorf("doc.go does not say that %q is refused: %s", template, reason)
		}
	}
}

// verdict is one line of testdata/verdicts.jsonl: what Shopify's Liquid makes of a template. The facts are those of
// the public golden-liquid suite (MIT licence).
type verdict struct {
	Template string
	Data     json.RawMessage
	Results  []string // what may come out; none if the template is invalid
	Invalid  bool
}

// verdicts reads all lines. The file is part of the repository: without it the tests fail.
func verdicts(t testing.TB) []verdict {
	text, err := os.ReadFile("testdata/verdicts.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var list []verdict
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		var v verdict
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatalf("line %d: %v", len(list)+1, err)
		}
		list = append(list, v)
	}
	if len(list) != 595 {
		t.Fatalf("testdata/verdicts.jsonl has %d lines, want 595", len(list))
	}
	return list
}

func (v verdict) vars(t *testing.T) map[string]Value {
	vars := map[string]Value{}
	if v.Data == nil {
		return vars
	}
	data, err := Decode(v.Data)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range data.Members() {
		vars[name] = value
	}
	return vars
}

func TestTheGoldenSuitePasses(t *testing.T) {
	for i, v := range verdicts(t) {
		t.Run(fmt.Sprintf("line %d", i+1), func(t *testing.T) {
			vars := v.vars(t)
			got, err := "", error(nil)
			template, err := Parse(v.Template, Options{})
			if err == nil {
				got, err = template.Render(Scope{Vars: vars, Now: time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)})
			}
			passed := v.Invalid && err != nil || !v.Invalid && err == nil && slices.Contains(v.Results, got)
			if reason, ok := refused[v.Template]; ok {
				if passed {
					t.Errorf("passes, but is listed as refused: %s", reason)
				}
				return
			}
			if !passed {
				t.Errorf("%q with %s = %q, %v; want %q, invalid %v", v.Template, v.Data, got, err, v.Results, v.Invalid)
			}
		})
	}
}
