package main

import (
	"bufio"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"slices"
	"strings"

	"github.com/postino/postino/infra/tools/source"
)

// logic are the packages, by name, that a walk goes through: the stages, the
// life of deliveries and the messages, and when to send. What a stage calls
// beyond them (languages, rendering, signing, connections, stores, queues, the
// edge of the API) is the same for everybody who calls it, and is read by itself.
var logic = []string{
	"ingest", "fanout", "delivery", "job", "expunge", "manage", "sweep", "lifecycle", "message", "sendable", "retry", "breaker", "pace",
}

// function is one function of the code, with what it mentions.
type function struct {
	name     string // package.Type.method
	file     string
	from, to int // its lines
	mentions []types.Object
}

// value is what one package puts into a field that is a function.
type value struct {
	by       *types.Package
	mentions []types.Object
}

// code is the part of the code that walks go through.
type code struct {
	files     *token.FileSet
	functions map[types.Object]*function
	values    map[types.Object][]value // what is put into a field that is a function
	lines     map[string][]string      // of files
}

func read(dir string) (*code, error) {
	files, packages, err := source.Load(dir, "./shared/...")
	if err != nil {
		return nil, err
	}
	c := &code{
		files: files, functions: map[types.Object]*function{},
		values: map[types.Object][]value{}, lines: map[string][]string{},
	}
	for _, p := range packages {
		if slices.Contains(logic, p.Types.Name()) {
			c.add(p)
		}
	}
	return c, nil
}

func (c *code) add(p *source.Package) {
	for _, file := range p.Files {
		for _, d := range file.Decls {
			if f, is := d.(*ast.FuncDecl); is && f.Body != nil {
				at, end := c.files.Position(f.Pos()), c.files.Position(f.End())
				object := p.Info.Defs[f.Name]
				c.functions[object] = &function{
					name: nameOf(p, object), file: at.Filename, from: at.Line, to: end.Line, mentions: mentionsIn(p, f.Body),
				}
			}
		}
		ast.Inspect(file, func(n ast.Node) bool { c.noteValues(p, n); return true })
	}
}

// noteValues remembers what a field that is a function is set to.
func (c *code) noteValues(p *source.Package, n ast.Node) {
	set := func(field *ast.Ident, v ast.Expr) {
		object := p.Info.Uses[field]
		if f, is := object.(*types.Var); is && f.IsField() {
			if _, is := f.Type().Underlying().(*types.Signature); is {
				c.values[object] = append(c.values[object], value{p.Types, mentionsIn(p, v)})
			}
		}
	}
	switch n := n.(type) {
	case *ast.KeyValueExpr:
		if key, is := n.Key.(*ast.Ident); is {
			set(key, n.Value)
		}
	case *ast.AssignStmt:
		for i, to := range n.Lhs {
			if field, is := to.(*ast.SelectorExpr); is && len(n.Lhs) == len(n.Rhs) {
				set(field.Sel, n.Rhs[i])
			}
		}
	}
}

// mentionsIn lists the functions and fields that a part of the code mentions.
func mentionsIn(p *source.Package, n ast.Node) (objects []types.Object) {
	ast.Inspect(n, func(n ast.Node) bool {
		if id, is := n.(*ast.Ident); is {
			switch o := p.Info.Uses[id].(type) {
			case *types.Func:
				objects = append(objects, o.Origin())
			case *types.Var:
				if o.IsField() {
					objects = append(objects, o)
				}
			}
		}
		return true
	})
	return objects
}

func nameOf(p *source.Package, o types.Object) string {
	parts := []string{p.Types.Name()}
	if receiver := o.Type().(*types.Signature).Recv(); receiver != nil {
		t := receiver.Type()
		if pointer, is := t.(*types.Pointer); is {
			t = pointer.Elem()
		}
		if named, is := t.(*types.Named); is {
			parts = append(parts, named.Obj().Name())
		}
	}
	return strings.Join(append(parts, o.Name()), ".")
}

// codeLines counts the lines of a function that hold code.
func (c *code) codeLines(f *function) (n int) {
	if c.lines[f.file] == nil {
		file, err := os.Open(f.file)
		if err != nil {
			panic(err) // it was parsed a moment ago
		}
		defer file.Close()
		for s := bufio.NewScanner(file); s.Scan(); {
			c.lines[f.file] = append(c.lines[f.file], s.Text())
		}
	}
	for _, line := range c.lines[f.file][f.from-1 : f.to] {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			n++
		}
	}
	return n
}
