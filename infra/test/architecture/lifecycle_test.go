package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOnlyTheLifeOfADeliveryWritesHowItEnded looks through the stages for code
// that sets a delivery's status by itself: such code forgets to count it.
func TestOnlyTheLifeOfADeliveryWritesHowItEnded(t *testing.T) {
	ends := []string{"Succeeded", "Exhausted", "Canceled"}
	err := filepath.WalkDir("../../../shared", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if folder := filepath.ToSlash(filepath.Dir(path)); strings.HasSuffix(folder, "shared/lifecycle") || strings.HasSuffix(folder, "storetest") {
			return nil
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			for _, value := range statusesSet(n) {
				if end, is := value.(*ast.SelectorExpr); is && slices.Contains(ends, end.Sel.Name) {
					t.Errorf("%s sets a status to %s, want a transition of package lifecycle", files.Position(value.Pos()), end.Sel.Name)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// statusesSet returns what a node assigns to fields called Status.
func statusesSet(n ast.Node) (values []ast.Expr) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		for i, to := range n.Lhs {
			if field, is := to.(*ast.SelectorExpr); is && field.Sel.Name == "Status" && len(n.Lhs) == len(n.Rhs) {
				values = append(values, n.Rhs[i])
			}
		}
	case *ast.KeyValueExpr:
		if key, is := n.Key.(*ast.Ident); is && key.Name == "Status" {
			values = append(values, n.Value)
		}
	}
	return values
}
