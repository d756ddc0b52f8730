package main

import (
	"cmp"
	"go/types"
	"slices"
	"strings"
)

// measured is how long a walk is.
type measured struct {
	functions, lines, files, switches int
	names                             []string
}

// walk measures the walk from functions by name; names that are not found are
// those of another time.
func (c *code) walk(roots []string) (m measured) {
	seen, files, within := map[types.Object]bool{}, map[string]bool{}, c.reach(roots)
	var visit func(o types.Object, from *function)
	visit = func(o types.Object, from *function) {
		f := c.functions[o]
		switch {
		case f == nil && seen[o]:
			return
		case f == nil:
			seen[o] = true
			for _, v := range c.values[o] {
				if !within[v.by] {
					continue
				}
				for _, behind := range distinct(v.mentions) {
					visit(behind, from)
				}
			}
			return
		case from != nil && from.file != f.file:
			m.switches++
		}
		if seen[o] {
			return
		}
		seen[o], files[f.file] = true, true
		m.functions++
		m.names = append(m.names, f.name)
		m.lines += c.codeLines(f)
		for _, mentioned := range distinct(f.mentions) {
			visit(mentioned, f)
		}
	}
	for o, f := range c.functions {
		if slices.Contains(roots, f.name) && !seen[o] {
			visit(o, nil)
		}
	}
	m.files = len(files)
	slices.Sort(m.names)
	return m
}

// reach are the packages that the roots' packages import, directly or not: a value
// that another stage puts into a field is not met on the way.
func (c *code) reach(roots []string) map[*types.Package]bool {
	within := map[*types.Package]bool{}
	var add func(p *types.Package)
	add = func(p *types.Package) {
		if !within[p] {
			within[p] = true
			for _, imported := range p.Imports() {
				add(imported)
			}
		}
	}
	for o, f := range c.functions {
		if slices.Contains(roots, f.name) {
			add(o.Pkg())
		}
	}
	return within
}

func distinct(objects []types.Object) (kept []types.Object) {
	for _, o := range objects {
		if !slices.Contains(kept, o) {
			kept = append(kept, o)
		}
	}
	return kept
}

// sized is a type with its number of methods.
type sized struct {
	name    string
	methods int
}

// largest returns the types with the most methods.
func (c *code) largest(n int) (list []sized) {
	count := map[string]int{}
	for _, f := range c.functions {
		if i := strings.LastIndexByte(f.name, '.'); strings.Count(f.name, ".") == 2 {
			count[f.name[:i]]++
		}
	}
	for name, methods := range count {
		list = append(list, sized{name, methods})
	}
	slices.SortFunc(list, func(a, b sized) int {
		return cmp.Or(cmp.Compare(b.methods, a.methods), cmp.Compare(a.name, b.name))
	})
	return list[:min(n, len(list))]
}
