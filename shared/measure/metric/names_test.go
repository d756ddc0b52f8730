package metric_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/measure/metric"
)

// stages are the folders whose code counts, by the word for it in the table.
var stages = map[string]string{
	"ingest": "../../stage/ingest", "fanout": "../../stage/fanout", "delivery": "../../stage/delivery", "manage": "../../stage/manage", "sweep": "../../stage/sweep",
	"local": "../../../cmd/postino/server",
}

// used finds what code counts and observes: for each name, or beginning of one
// with a * behind it, the kind and the stages.
func used(t *testing.T) map[string]map[string]bool { return usedIn(t, stages) }

func usedIn(t *testing.T, stages map[string]string) map[string]map[string]bool {
	t.Helper()
	found := map[string]map[string]bool{}
	note := func(kind metric.Kind, name, stage string) {
		key := string(kind) + " " + name
		if found[key] == nil {
			found[key] = map[string]bool{}
		}
		found[key][stage] = true
	}
	for stage, folder := range stages {
		files := token.NewFileSet()
		for _, file := range parsed(t, files, folder) {
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if kind, counts := counting(n); counts {
						note(kind, name(t, files, n.Args[0]), stage)
					}
				case *ast.CompositeLit:
					if gauge, is := n.Type.(*ast.SelectorExpr); is && gauge.Sel.Name == "Gauge" {
						for _, e := range n.Elts {
							if kv := e.(*ast.KeyValueExpr); kv.Key.(*ast.Ident).Name == "Name" {
								note(metric.GaugeKind, name(t, files, kv.Value), stage)
							}
						}
					}
				}
				return true
			})
		}
	}
	return found
}

// counting tells whether a call is one of Count or Observe with two arguments.
func counting(c *ast.CallExpr) (metric.Kind, bool) {
	f, is := c.Fun.(*ast.SelectorExpr)
	if !is || len(c.Args) != 2 {
		return "", false
	}
	kinds := map[string]metric.Kind{"Count": metric.Counter, "Observe": metric.Histogram}
	return kinds[f.Sel.Name], kinds[f.Sel.Name] != ""
}

// parsed reads the files of a folder that are no tests.
func parsed(t *testing.T, files *token.FileSet, folder string) (list []*ast.File) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s has no Go files: %v", folder, err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, file)
	}
	return list
}

// name reads a literal, or a literal with something behind it.
func name(t *testing.T, files *token.FileSet, e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		return text
	case *ast.BinaryExpr:
		return name(t, files, e.X) + "*"
	}
	t.Errorf("%s: a metric's name is neither a literal nor begins with one", files.Position(e.Pos()))
	return ""
}

// ends is the folder that counts for every stage that ends deliveries: which
// stage ends them how, the table alone says.
const ends = "../../lifecycle"

func TestEveryNameThatIsUsedIsInTheTableAndNoOther(t *testing.T) {
	counted := map[string]map[string]bool{}
	for use := range usedIn(t, map[string]string{"": ends}) {
		for _, m := range metric.All {
			if string(m.Kind)+" "+m.Name == use {
				counted[m.Name] = map[string]bool{}
				for stage := range strings.FieldsSeq(m.Stages) {
					counted[m.Name][stage] = true
				}
			}
		}
	}
	for use, by := range used(t) {
		kind, name, _ := strings.Cut(use, " ")
		known := false
		for _, m := range metric.All {
			prefix, open := strings.CutSuffix(name, "*")
			if string(m.Kind) != kind || m.Name != name && !(open && strings.HasPrefix(m.Name, prefix)) {
				continue
			}
			known = true
			if counted[m.Name] == nil {
				counted[m.Name] = map[string]bool{}
			}
			maps.Copy(counted[m.Name], by)
		}
		if !known {
			t.Errorf("%v count %s, which metric.All does not hold", slices.Sorted(maps.Keys(by)), use)
		}
	}
	for _, m := range metric.All {
		stages := strings.Fields(m.Stages)
		slices.Sort(stages)
		if by := slices.Sorted(maps.Keys(counted[m.Name])); !slices.Equal(by, stages) {
			t.Errorf("%s is counted by %v, the table says %v", m.Name, by, stages)
		}
	}
}

func TestTheTableOfTheDocumentsIsThatOfTheCode(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	got = append(got, regexp.MustCompile("(?m)^\\| `.*$").FindAllString(string(text), -1)...)
	for _, m := range metric.All {
		want = append(want, fmt.Sprintf("| `%s` | %s | `%s` | %s |", m.Name, m.Kind, strings.ReplaceAll(m.Stages, " ", "`, `"), m.Help))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/metrics.md differs (-code +document):\n%s", diff)
	}
}

func TestNamesAreThoseThatPrometheusAndCloudWatchTake(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range metric.All {
		if !regexp.MustCompile(`^[a-z][a-z0-9_]{2,60}$`).MatchString(m.Name) || seen[m.Name] || m.Help == "" {
			t.Errorf("%q is no name, or there twice, or not explained", m.Name)
		}
		seen[m.Name] = true
	}
}
