// Package source reads Go packages with their types, for tools and tests that
// judge the code itself. It needs nothing but the go command.
package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// Package is one package without its tests.
type Package struct {
	Path  string
	Files []*ast.File
	Info  *types.Info
	Types *types.Package
}

// listed is what go list tells of a package.
type listed struct {
	ImportPath string
	Dir        string
	Export     string
	GoFiles    []string
	DepOnly    bool
}

// Load reads the packages that match the patterns, of the module in a folder.
// Types are the same objects in all packages that are loaded.
func Load(dir string, patterns ...string) (*token.FileSet, []*Package, error) {
	all, err := list(dir, patterns)
	if err != nil {
		return nil, nil, err
	}
	files, exports := token.NewFileSet(), map[string]string{}
	for _, l := range all {
		exports[l.ImportPath] = l.Export
	}
	from := &mixed{known: map[string]*types.Package{}}
	from.others = importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	var packages []*Package
	for _, l := range all { // those that are imported come first
		if l.DepOnly {
			continue
		}
		p, err := check(files, l, from)
		if err != nil {
			return nil, nil, err
		}
		from.known[p.Path] = p.Types
		packages = append(packages, p)
	}
	return files, packages, nil
}

func list(dir string, patterns []string) (all []listed, err error) {
	cmd := exec.Command("go", append([]string{"list", "-deps", "-export", "-json=ImportPath,Dir,Export,GoFiles,DepOnly"}, patterns...)...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			err = fmt.Errorf("%w: %s", err, failed.Stderr)
		}
		return nil, fmt.Errorf("go list: %w", err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		if err := d.Decode(&l); err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("read go list: %w", err)
		}
		all = append(all, l)
	}
}

// mixed imports what was read from source as that, and all else from what the
// compiler exported.
type mixed struct {
	known  map[string]*types.Package
	others types.Importer
}

func (m *mixed) Import(path string) (*types.Package, error) {
	if p, ok := m.known[path]; ok {
		return p, nil
	}
	return m.others.Import(path)
}

func check(files *token.FileSet, l listed, from types.Importer) (*Package, error) {
	p := &Package{Path: l.ImportPath, Info: &types.Info{
		Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, Types: map[ast.Expr]types.TypeAndValue{},
	}}
	for _, name := range l.GoFiles {
		file, err := parser.ParseFile(files, filepath.Join(l.Dir, name), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		p.Files = append(p.Files, file)
	}
	var err error
	if p.Types, err = (&types.Config{Importer: from}).Check(l.ImportPath, files, p.Files, p.Info); err != nil {
		return nil, fmt.Errorf("check %s: %w", l.ImportPath, err)
	}
	return p, nil
}
