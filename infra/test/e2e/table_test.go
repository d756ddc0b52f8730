package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTheDocumentNamesTestsThatAre holds the tables of docs/testing.md to the
// tests: what a row names is there, and every scenario is in a row.
func TestTheDocumentNamesTestsThatAre(t *testing.T) {
	text, err := os.ReadFile("../../../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	moved, told, known := map[string]bool{}, stories(t), testNames(t)
	for _, s := range scenarios() {
		moved[s.name] = s.clock
	}
	var seen []string
	for _, row := range regexp.MustCompile(`(?m)^\| (.*) \| (.*) \|$`).FindAllStringSubmatch(string(text), -1) {
		if row[2] == "where" {
			continue
		}
		for _, place := range regexp.MustCompile("; |`, `").Split(row[2], -1) {
			name := strings.Trim(place, "`")
			fact, clock := strings.CutSuffix(name, " ◷")
			story, isStory := strings.CutSuffix(name, ".json")
			needsClock, isScenario := moved[fact]
			_, there := told[story]
			switch {
			case isScenario && needsClock == clock:
				seen = append(seen, fact)
			case isStory && there, slices.Contains(known, name):
			default:
				t.Errorf("docs/testing.md says that %q is shown by %q, which is no test", row[1], name)
			}
		}
	}
	for name := range moved {
		if !slices.Contains(seen, name) {
			t.Errorf("docs/testing.md does not tell of the scenario %q", name)
		}
	}
}

// testNames are those of all tests in the repository.
func testNames(t *testing.T) (names []string) {
	t.Helper()
	named := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir("../../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2:
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			names = append(names, m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
