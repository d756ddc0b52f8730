package architecture

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
	"testing"

	"github.com/postino/postino/infra/tools/source"
)

// lived are the fields of a delivery that its life writes. All others say what
// it is, and never change.
var lived = []string{
	"Status", "Waiting", "Reason", "Detail", "Round", "Step", "NextAt", "Attempts", "EndedAt", "WaitingSince", "Digest", "Last", "Claim",
}

// TestOnlyTheLifeOfADeliveryWritesItsState looks through the code for what sets
// the state of a delivery by itself: it forgets what follows, such as to count
// an end. Stores set it from what they read.
func TestOnlyTheLifeOfADeliveryWritesItsState(t *testing.T) {
	files, packages, err := source.Load("../../..", "./shared/...", "./functions/...", "./cmd/...")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, p := range packages {
		for _, file := range p.Files {
			ast.Inspect(file, func(n ast.Node) bool {
				for _, field := range fieldsSet(n) {
					if !ofDelivery(p, field) {
						continue
					}
					if seen++; !mayWrite(p.Path) {
						t.Errorf("%s sets %s of a delivery, want a transition of package lifecycle", files.Position(field.Pos()), field.Name)
					}
				}
				return true
			})
		}
	}
	if seen < 2*len(lived) {
		t.Errorf("%d places set a delivery's state, want at least those of package lifecycle and the stores", seen)
	}
}

// mayWrite reports whether a package is the life of deliveries, or a store.
func mayWrite(path string) bool {
	for _, folder := range []string{"/shared/lifecycle", "/shared/store", "/shared/platform"} {
		if strings.Contains(path, folder) {
			return true
		}
	}
	return false
}

// fieldsSet returns the names of fields that a node sets, or takes the address of.
func fieldsSet(n ast.Node) (fields []*ast.Ident) {
	set := func(to ast.Expr) {
		for { // of d.Claim.Token both are set
			field, is := to.(*ast.SelectorExpr)
			if !is {
				return
			}
			fields, to = append(fields, field.Sel), field.X
		}
	}
	switch n := n.(type) {
	case *ast.AssignStmt:
		for _, to := range n.Lhs {
			set(to)
		}
	case *ast.IncDecStmt:
		set(n.X)
	case *ast.UnaryExpr:
		if n.Op.String() == "&" {
			set(n.X)
		}
	case *ast.KeyValueExpr:
		if key, is := n.Key.(*ast.Ident); is {
			fields = append(fields, key)
		}
	}
	return fields
}

// ofDelivery reports whether a name is one of a delivery's fields of state.
func ofDelivery(p *source.Package, name *ast.Ident) bool {
	field, is := p.Info.Uses[name].(*types.Var)
	if !is || !field.IsField() || !slices.Contains(lived, name.Name) {
		return false
	}
	for _, imported := range append(p.Types.Imports(), p.Types) {
		if strings.HasSuffix(imported.Path(), "/shared/webhook") {
			return hasField(imported.Scope().Lookup("Delivery").Type(), field)
		}
	}
	return false
}

func hasField(t types.Type, field *types.Var) bool {
	s := t.Underlying().(*types.Struct)
	for i := range s.NumFields() {
		if s.Field(i) == field {
			return true
		}
	}
	return false
}
