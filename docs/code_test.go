package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTestsThatAreNamedExist finds every TestSomething of the docs in the code.
func TestTestsThatAreNamedExist(t *testing.T) {
	defined := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(text, -1) {
			defined[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range pages(t) {
		for _, test := range regexp.MustCompile("`(Test[A-Z]\\w+)`").FindAllStringSubmatch(text, -1) {
			if !defined[test[1]] {
				t.Errorf("%s names %s, which does not exist", name, test[1])
			}
		}
	}
}

var quoted = regexp.MustCompile("(?s)<!-- from (\\S+) -->\n```[a-z]+\n(.*?)```")

func TestQuotedCodeIsThatOfTheFile(t *testing.T) {
	for name, text := range pages(t) {
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			file, err := os.ReadFile(filepath.Join(root, m[1]))
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, line := range strings.Split(strings.TrimSpace(m[2]), "\n") {
				if !strings.Contains(string(file), strings.TrimSpace(line)) {
					t.Errorf("%s quotes from %s what is not there: %s", name, m[1], line)
				}
			}
		}
	}
}

// TestEverySettingIsDocumented holds flags and parameters to their tables.
func TestEverySettingIsDocumented(t *testing.T) {
	text := pages(t)["docs/operations.md"]
	for _, source := range []struct {
		file, section string
		name          *regexp.Regexp
		write         string
	}{
		{"cmd/postino/serve.go", "", regexp.MustCompile(`\bf\.(?:\w*Var|Func)\([^"]*"([a-z-]+)"`), "`-%`"},
		{"template.yaml", "\nParameters:\n", regexp.MustCompile(`(?m)^  ([A-Z]\w+):`), "`%`"},
		{"template.yaml", "\nOutputs:\n", regexp.MustCompile(`(?m)^  (AdminKeyCommand|TableName|SealingKeyArn):`), "`%`"},
	} {
		code, err := os.ReadFile(filepath.Join(root, source.file))
		if err != nil {
			t.Fatal(err)
		}
		_, part, _ := strings.Cut(string(code), source.section)
		if source.section != "" {
			if end := regexp.MustCompile(`(?m)^[A-Z]`).FindStringIndex(part); end != nil {
				part = part[:end[0]]
			}
		}
		names := source.name.FindAllStringSubmatch(part, -1)
		if len(names) < 3 {
			t.Errorf("%s: found only %v", source.file, names)
		}
		for _, m := range names {
			if want := strings.Replace(source.write, "%", m[1], 1); !strings.Contains(text, want) {
				t.Errorf("docs/operations.md does not tell of %s in %s", want, source.file)
			}
		}
	}
}

func TestEveryKindOfRecordIsInTheDataModel(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(root, "shared/store/record/record.go"))
	if err != nil {
		t.Fatal(err)
	}
	model := pages(t)["docs/data-model.md"]
	kinds := regexp.MustCompile(`\t(\w+)(?:Kind|Partition) += "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(kinds) < 10 {
		t.Errorf("record.go has the kinds %v, want all", kinds)
	}
	for _, m := range kinds {
		if !strings.Contains(model, "`"+m[2]+"` / T") {
			t.Errorf("docs/data-model.md lacks the %s records, in the partition %s", m[1], m[2])
		}
	}
}
