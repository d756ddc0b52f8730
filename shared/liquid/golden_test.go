package liquid

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// refused are the tests of the golden-liquid suite that we fail on purpose, each with the reason. doc.go says the same.
var refused = map[string]string{
	"tags, case, unexpected when token": "Ruby ignores what it does not understand in a when; we say so when the template is saved",
}

func TestTheDocumentationNamesEveryRefusal(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for name, reason := range refused {
		if !strings.Contains(string(doc), "//\t"+name+": "+reason+"\n") {
			t.Errorf("doc.go does not say that %q is refused: %s", name, reason)
		}
	}
}

type goldenTest struct {
	Name     string
	Template string
	Data     json.RawMessage
	Result   *string
	Results  []string
	Invalid  bool
}

// goldenTests reads the suite, which is not part of this repository.
func goldenTests(t *testing.T, folder string) []goldenTest {
	text, err := os.ReadFile(filepath.Join(folder, "golden-liquid.json"))
	if err != nil {
		t.Fatal(err)
	}
	var suite struct{ Tests []goldenTest }
	if err := json.Unmarshal(text, &suite); err != nil {
		t.Fatal(err)
	}
	return suite.Tests
}

func (g goldenTest) vars(t *testing.T) map[string]Value {
	vars := map[string]Value{}
	if g.Data == nil {
		return vars
	}
	data, err := Decode(g.Data)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range data.Members() {
		vars[name] = v
	}
	return vars
}

func TestTheGoldenSuitePasses(t *testing.T) {
	folder := os.Getenv("POSTINO_VECTORS")
	if folder == "" {
		t.Log("POSTINO_VECTORS names no folder with golden-liquid.json: the golden-liquid suite does not run")
		return
	}
	tests := goldenTests(t, folder)
	if len(tests) < 500 {
		t.Fatalf("the suite has %d tests, want at least 500", len(tests))
	}
	for _, g := range tests {
		t.Run(g.Name, func(t *testing.T) {
			vars := g.vars(t)
			got, err := "", error(nil)
			template, err := Parse(g.Template, Options{})
			if err == nil {
				got, err = template.Render(Scope{Vars: vars, Now: time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)})
			}
			want := g.Results
			if g.Result != nil {
				want = append(want, *g.Result)
			}
			passed := g.Invalid && err != nil || !g.Invalid && err == nil && slices.Contains(want, got)
			if reason, ok := refused[g.Name]; ok {
				if passed {
					t.Errorf("passes, but is listed as refused: %s", reason)
				}
				return
			}
			if !passed {
				t.Errorf("%q with %s = %q, %v; want %q, invalid %v", g.Template, g.Data, got, err, want, g.Invalid)
			}
		})
	}
}
