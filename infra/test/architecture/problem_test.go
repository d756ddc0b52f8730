package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// A problem that is written as a literal has no code: see httpapi.Code.
func TestNobodyWritesAProblemWithoutACode(t *testing.T) {
	files := 0
	err := filepath.WalkDir("../../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".c")) {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "httpapi/code.go") {
			return nil
		}
		files++
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.CompositeLit); ok && isProblem(literal.Type, file.Name.Name) {
				t.Errorf("%s writes a Problem by itself, want one made by a Code", path)
			}
			return true
		})
		return nil
	})
	if err != nil || files < 100 {
		t.Errorf("read %d files, %v, want all of ours", files, err)
	}
}

// isProblem reports whether a type is httpapi.Problem, in a file of a package.
func isProblem(typ ast.Expr, pkg string) bool {
	switch typ := typ.(type) {
	case *ast.SelectorExpr:
		x, ok := typ.X.(*ast.Ident)
		return ok && x.Name == "httpapi" && typ.Sel.Name == "Problem"
	case *ast.Ident:
		return pkg == "httpapi" && typ.Name == "Problem"
	}
	return false
}
