package pattern

import "strings"

// An event may spell one path twice, with dots in a key and by nesting: {"a.b": 1, "a": [{"b": 2}]}. Then arrays
// cannot be settled one by one, and a branch is matched by trying values for its fields in order, as event-ruler
// does with every event.

// maxTries is how many values one branch may try in an event that spells a path twice; beyond, it does not match.
const maxTries = 100_000

// A leaf is a value and where it lies: one choice for each array above it.
type leaf struct {
	value *node
	lies  []choice
}

// A choice is an element of an array.
type choice struct {
	array   int32
	element int
}

// twice says whether the branch matches the event.
func (b *branch) twice(m *matching) bool {
	s := search{matching: m, fields: b.fields, leaves: make([][]leaf, len(b.fields)), tries: maxTries}
	for i, f := range b.fields {
		m.leaves(m.root, strings.Split(f.path, "."), nil, &s.leaves[i])
	}
	return s.from(0, nil)
}

// leaves collects the values at a path below n.
func (m *matching) leaves(n int32, path []string, lies []choice, out *[]leaf) {
	if m.left -= 1 + len(lies); m.left < 0 {
		return
	}
	v := &m.nodes[n]
	switch {
	case v.kind == Object && len(path) > 0:
		if member := m.member(n, path[0]); member >= 0 {
			m.leaves(member, path[1:], lies, out)
		}
	case v.kind == Array:
		for i, k := range m.members(n) {
			in := lies
			if !v.made && m.nodes[k.node].kind >= Array {
				in = append(lies[:len(lies):len(lies)], choice{n, i})
			}
			m.leaves(k.node, path, in, out)
		}
	case v.kind < Array && len(path) == 0:
		*out = append(*out, leaf{v, lies})
	}
}

type search struct {
	*matching
	fields []field
	leaves [][]leaf // of each field
	tries  int
}

// from says whether the fields from i on can be met, given the choices made so far.
func (s *search) from(i int, chosen []choice) bool {
	if i == len(s.fields) {
		return true
	}
	cond, missing := s.fields[i].cond, true
	for _, l := range s.leaves[i] {
		if s.tries--; s.tries < 0 {
			return false
		}
		if s.left -= 1 + len(chosen) + len(l.lies); s.left < 0 {
			return false
		}
		now, ok := consistent(chosen, l.lies)
		if !ok {
			continue
		}
		if missing = false; s.matches(cond, l.value) && s.from(i+1, now) {
			return true
		}
	}
	return missing && cond.absent && s.from(i+1, chosen)
}

// consistent adds choices, unless they contradict those made.
func consistent(made, more []choice) ([]choice, bool) {
	all := made[:len(made):len(made)]
next:
	for _, c := range more {
		for _, m := range made {
			if m.array == c.array {
				if m.element != c.element {
					return nil, false
				}
				continue next
			}
		}
		all = append(all, c)
	}
	return all, true
}
