package pattern

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Limits of one pattern; beyond them it is refused as too complex.
const (
	MaxSize     = 64 << 10 // bytes of JSON
	MaxDepth    = 32       // levels of objects and arrays
	MaxBranches = 1000     // combinations that $or spells out
	MaxFields   = 256      // fields in one combination, as in event-ruler
	MaxValues   = 10_000   // values and operators, those that combinations share counted once
	MaxTests    = 10_000   // tests in all combinations together; more than eight values of one kind in a list are one
	MaxWeight   = 2 << 20  // bytes of memory once compiled: see [Pattern.Weight]
)

// A Pattern is a compiled event pattern. It is never changed and safe for concurrent use.
type Pattern struct {
	branches []*branch // the combinations of $or; any of them is enough
	weight   int
}

// A branch is a pattern without $or: every field must meet its condition.
type branch struct {
	root   step
	fields []field // in event-ruler's order
	absent bool    // some condition has exists: false
}

// A field is a path and what is wanted there.
type field struct {
	path string // names joined by dots
	cond *condition
}

// Compile reads a pattern of events. Faults are [Errors], whose fields begin with the given one, such as "filter".
func Compile(pattern []byte, where string) (*Pattern, error) {
	return CompileOver(ofEvents, pattern, where)
}

// CompileOver reads a pattern that begins with the given roots.
func CompileOver(roots Roots, pattern []byte, where string) (*Pattern, error) {
	if len(pattern) > MaxSize {
		return nil, Errors{{where, fmt.Sprintf("too complex: want at most %d bytes", MaxSize)}}
	}
	c, at := &compiler{roots: roots}, &spot{name: where}
	c.nodes, c.kids = make([]node, 0, 4+len(pattern)/12), make([]kid, 0, 4+len(pattern)/12)
	root, _, fault := c.parse(string(pattern), where, MaxDepth)
	if fault != nil {
		return nil, Errors{fault}
	}
	if c.nodes[root].kind != Object {
		return nil, Errors{{where, "want an object"}}
	}
	branches := c.object(root, at, nil, nil, false)
	if len(c.errs) == 0 {
		c.checkBranches(branches, at)
	}
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	p, seen := &Pattern{weight: 64}, map[*condition]bool{}
	for _, fields := range branches {
		b := newBranch(fields)
		p.branches = append(p.branches, b)
		if p.weight += b.weight(len(pattern), seen); p.weight > MaxWeight {
			return nil, Errors{{where, fmt.Sprintf("too complex: it would take more than %d bytes of memory: want fewer values, shorter paths, or fewer alternatives in $or", MaxWeight)}}
		}
	}
	return p, nil
}

// A compiler turns a tree of JSON into combinations of fields. Its tree is not used once it is done.
type compiler struct {
	tree
	roots  Roots
	errs   Errors
	values int // values and operators seen
	tests  int // tests put into combinations
}

// A spot is a place in the pattern; its text is only made for faults.
type spot struct {
	up    *spot
	name  string // without up: the whole text
	index int    // of an element; -1 for a member
}

func under(at *spot, name string) *spot { return &spot{at, name, -1} }

func index(at *spot, i int) *spot { return &spot{at, "", i} }

func (s *spot) text() string {
	switch {
	case s.up == nil:
		return s.name
	case s.index < 0:
		return s.up.text() + "." + s.name
	}
	return s.up.text() + "[" + strconv.Itoa(s.index) + "]"
}

// fault notes what is wrong at a spot.
func (c *compiler) fault(at *spot, format string, args ...any) {
	if len(c.errs) < maxErrors {
		c.errs = append(c.errs, &Error{at.text(), fmt.Sprintf(format, args...)})
	}
}

// object adds the fields of object n to every combination so far and returns the combinations; nil stands for
// one without fields. at is where the pattern has n, path is where it looks in events; inOr says whether n is
// within a $or, where event-ruler keeps some names for itself.
func (c *compiler) object(n int32, at *spot, path []string, so [][]field, inOr bool) [][]field {
	if len(c.members(n)) == 0 {
		c.fault(at, "want at least one field")
	}
	for _, k := range c.members(n) {
		if len(c.errs) == maxErrors {
			break
		}
		below := under(at, k.name)
		if k.name == "$or" {
			so = c.or(k.node, below, path, so)
			continue
		}
		names := joined(path, k.name)
		if !c.checkName(k, below, path, names, inOr) {
			continue
		}
		switch c.nodes[k.node].kind {
		case Object:
			so = c.object(k.node, below, names, so, inOr)
		case Array:
			so = c.place(so, field{strings.Join(names, "."), c.condition(k.node, below)}, below)
		default:
			c.fault(below, "want a list of values, such as [%s], or an object of fields", c.nodes[k.node].raw)
		}
	}
	return so
}

// joined returns path and the names in key.
func joined(path []string, key string) []string {
	if strings.IndexByte(key, '.') < 0 {
		return append(path[:len(path):len(path)], key)
	}
	return append(path[:len(path):len(path)], strings.Split(key, ".")...)
}

// reserved are the names that event-ruler does not take for fields within $or.
var reserved = []string{
	"exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr",
	"=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case",
	"date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range",
	"ip-address-in-range", "ip-address-not-in-range",
}

// checkName judges the key of a field: names is the whole path, path the part that leads to the key.
func (c *compiler) checkName(k kid, at *spot, path, names []string, inOr bool) bool {
	switch {
	case len(path) == 0 && c.roots.fault(names[0]) != "":
		c.fault(at, "%s", c.roots.fault(names[0]))
	case c.roots[names[0]] && (len(names) > 1 || c.nodes[k.node].kind == Object):
		c.fault(at, "%s is a string: want a list of values", names[0])
	case slices.Contains(names, ""):
		c.fault(at, "want no empty name in a field")
	case len(names) > maxSegments:
		c.fault(at, "too complex: want at most %d names in a path", maxSegments)
	case inOr && slices.Contains(reserved, k.name):
		c.fault(at, "within $or, %q cannot be a field", k.name)
	default:
		return true
	}
	return false
}

// or multiplies the combinations so far by the alternatives in array n.
func (c *compiler) or(n int32, at *spot, path []string, so [][]field) [][]field {
	if c.nodes[n].kind != Array || len(c.members(n)) < 2 {
		c.fault(at, "want a list of at least two objects")
		return so
	}
	var out [][]field
	for i, k := range c.members(n) {
		here := index(at, i)
		if c.nodes[k.node].kind != Object {
			c.fault(here, "want an object")
			continue
		}
		if !c.fits(len(out)+max(1, len(so)), len(so), at) {
			return so
		}
		out = append(out, c.object(k.node, here, path, copied(so), true)...)
	}
	c.fits(len(out), 0, at)
	return out
}

// copied returns combinations that can grow without changing those in so.
func copied(so [][]field) [][]field {
	out := make([][]field, len(so))
	for i := range so {
		out[i] = slices.Clone(so[i])
	}
	return out
}

// fits says whether so many combinations, and so many more tests, are allowed.
func (c *compiler) fits(branches, tests int, at *spot) bool {
	c.tests += tests
	if branches <= MaxBranches && c.tests <= MaxTests {
		return true
	}
	if len(c.errs) == 0 || !strings.HasPrefix(c.errs[len(c.errs)-1].Detail, "too complex") {
		c.fault(at, "too complex: want at most %d combinations of $or and %d tests in them", MaxBranches, MaxTests)
	}
	return false
}

// place adds f to every combination.
func (c *compiler) place(so [][]field, f field, at *spot) [][]field {
	if len(so) == 0 {
		so = [][]field{nil}
	}
	if !c.fits(len(so), len(so)*f.cond.size(), at) {
		return so
	}
	for i := range so {
		if slices.ContainsFunc(so[i], func(g field) bool { return g.path == f.path }) {
			c.fault(at, "%s is already in this pattern", f.path)
			break
		}
		so[i] = append(so[i], f)
	}
	return so
}

// checkBranches judges what only all fields together show.
func (c *compiler) checkBranches(branches [][]field, at *spot) {
	for _, fields := range branches {
		if len(fields) > MaxFields {
			c.fault(at, "too complex: want at most %d fields", MaxFields)
			return
		}
	}
}
