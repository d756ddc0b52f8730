package pattern

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A step is one name in the paths of a branch: a tree of steps is laid over the event. The fields of a branch are
// numbered in event-ruler's order, that of their paths.
type step struct {
	name    string
	cond    *condition // nil if no field ends here
	field   int        // its number
	kids    []step
	fields  []int // numbers of the fields here and below, rising; first the one here
	need    int   // the last of them that cannot be met by a missing value; -1 if none
	kidNeed int   // the same without the one here
}

// newBranch orders the fields and builds the steps.
func newBranch(fields []field) *branch {
	slices.SortFunc(fields, func(a, b field) int { return compareUTF16(a.path, b.path) })
	b := &branch{fields: slices.Clip(fields)}
	b.root = step{field: -1, need: -1, kidNeed: -1}
	for i, f := range b.fields {
		b.absent = b.absent || f.cond.absent
		b.root.add(i, f, strings.Split(f.path, "."))
	}
	return b
}

// add lays field i under s at the end of the path.
func (s *step) add(i int, f field, path []string) {
	s.fields = append(s.fields, i)
	if !f.cond.absent {
		s.need = i
	}
	if len(path) == 0 {
		s.cond, s.field = f.cond, i
		return
	}
	if !f.cond.absent {
		s.kidNeed = i
	}
	k := slices.IndexFunc(s.kids, func(k step) bool { return k.name == path[0] })
	if k < 0 {
		k = len(s.kids)
		s.kids = append(s.kids, step{name: path[0], field: -1, need: -1, kidNeed: -1})
	}
	s.kids[k].add(i, f, path[1:])
}

// compareUTF16 orders strings as Java does, by UTF-16 units.
func compareUTF16(a, b string) int {
	for a != "" && b != "" {
		ra, na := utf8.DecodeRuneInString(a)
		rb, nb := utf8.DecodeRuneInString(b)
		if ra != rb {
			if (ra > 0xFFFF) != (rb > 0xFFFF) && ra >= 0xE000 && rb >= 0xE000 {
				return int(rb) - int(ra) // surrogates, D800 to DFFF, stand for the greater one
			}
			return int(ra) - int(rb)
		}
		a, b = a[na:], b[nb:]
	}
	return len(a) - len(b)
}

// Match says whether the event meets the pattern, as far as [MaxSteps] can tell: see [Pattern.Judge].
func (p *Pattern) Match(e *Event) bool { return p.Judge(e) == Yes }

// Judge says whether the event meets the pattern, or that this takes more than [MaxSteps].
func (p *Pattern) Judge(e *Event) Verdict {
	verdict, _ := p.judge(e, MaxSteps)
	return verdict
}

// judge is Judge with so many steps, and returns those that are left.
func (p *Pattern) judge(e *Event, steps int) (_ Verdict, left int) {
	m := matching{Event: e, left: steps}
	for _, b := range p.branches {
		met := false
		if e.twice {
			met = b.twice(&m)
		} else {
			m.absent, m.known = b.absent, nil
			met = m.meets(&b.root, e.root, 0, false)
		}
		switch {
		case m.left < 0:
			return Costly, m.left
		case met:
			return Yes, m.left
		}
	}
	return No, m.left
}

// A matching is one attempt to lay a branch over an event.
//
// The rule that makes it array-consistent is event-ruler's: fields are met in their order, each by a value of
// which one must not lie in another element of an array than a value chosen before. A value that stands itself in
// an array, not within an object or array there, lies in no element. A field is missing if none of the values
// that could still be chosen then is at its path. So a choice binds only later fields under the same array, and
// the search can go down the event as a tree: each array is settled by itself.
type matching struct {
	*Event
	left   int              // steps; below zero nothing is met any more
	absent bool             // fields may be met by missing values: elements may have to be tried again
	known  map[attempt]bool // what arrays answered, when absent
}

// An attempt is to meet the fields from one on below a step with an array.
type attempt struct {
	step *step
	node int32
	from int
	must bool
}

// meets says whether the fields numbered from and up, at s and below, can be met by the value n. Nothing in n was
// chosen before. With must, field from is one of them and must be met by a value, not by a missing one.
func (m *matching) meets(s *step, n int32, from int, must bool) bool {
	v := &m.nodes[n]
	if m.left--; m.left < 0 {
		return false
	}
	switch {
	case v.kind == Object:
		return m.object(s, n, from, must)
	case v.kind == Array && m.absent:
		return m.arrayOnce(s, n, from, must)
	case v.kind == Array:
		return m.array(s, n, from)
	case s.cond != nil && s.field >= from && !m.matches(s.cond, v):
		return false
	}
	return s.kidNeed < from && !(must && s.field != from)
}

func (m *matching) object(s *step, n int32, from int, must bool) bool {
	if s.cond != nil && s.field >= from && (!s.cond.absent || must && s.field == from) {
		return false
	}
	for i := range s.kids {
		k := &s.kids[i]
		if m.left--; m.left < 0 {
			return false
		}
		if k.fields[len(k.fields)-1] < from {
			continue
		}
		mustHere := must && slices.Contains(k.fields, from)
		member := m.member(n, k.name)
		if member < 0 {
			if mustHere || k.need >= from {
				return false
			}
		} else if !m.meets(k, member, from, mustHere) {
			return false
		}
	}
	return true
}

// array is for branches in which no value may be missing: all fields below are met in one element; the field here
// by any value that stands in the array itself, else in that element as well.
func (m *matching) array(s *step, n int32, from int) bool {
	if s.cond != nil && s.field >= from && m.holds(s.cond, n) {
		if from = s.field + 1; len(s.kids) == 0 {
			return true
		}
	}
	for _, k := range m.members(n) {
		if m.left--; m.left < 0 {
			return false
		}
		if m.nodes[k.node].kind >= Array && m.meets(s, k.node, from, false) {
			return true
		}
	}
	return false
}

// holds says whether a value that stands in the array itself meets the condition.
func (m *matching) holds(c *condition, n int32) bool {
	for _, k := range m.members(n) {
		if m.left--; m.left < 0 {
			return false
		}
		if v := &m.nodes[k.node]; v.kind < Array && m.matches(c, v) {
			return true
		}
	}
	return false
}

// arrayOnce remembers what anArray said: elements are tried from several fields on, at every level.
func (m *matching) arrayOnce(s *step, n int32, from int, must bool) bool {
	a := attempt{s, n, from, must}
	met, known := m.known[a]
	if !known {
		met = m.anyArray(s, n, from, must)
		if m.known == nil {
			m.known = map[attempt]bool{}
		}
		m.known[a] = met
	}
	return met
}

// anyArray is for branches in which values may be missing. The first field that a value in an element meets
// chooses the element: fields before it are met without choosing, so they are missing in the whole array or met
// by a value that stands in it; those after it only look into the element.
func (m *matching) anyArray(s *step, n int32, from int, must bool) bool {
	for _, f := range s.fields {
		if f < from {
			continue
		}
		for _, k := range m.members(n) {
			if m.left--; m.left < 0 {
				return false
			}
			if m.nodes[k.node].kind >= Array && m.meets(s, k.node, f, true) {
				return true
			}
		}
		c, here := s.conditionOf(f)
		if here && m.holds(c, n) {
			continue
		}
		if !c.absent || must && f == from || m.present(s, n, f) {
			return false
		}
	}
	return true
}

// conditionOf returns the condition of field f, at s or below, and whether it is the one at s.
func (s *step) conditionOf(f int) (*condition, bool) {
	if s.field == f {
		return s.cond, true
	}
	c, _ := s.towards(f).conditionOf(f)
	return c, false
}

// towards returns the step below s that leads to field f.
func (s *step) towards(f int) *step {
	for i := range s.kids {
		if slices.Contains(s.kids[i].fields, f) {
			return &s.kids[i]
		}
	}
	return nil // never: f is below s
}

// present says whether the value n at s has any value for field f.
func (m *matching) present(s *step, n int32, f int) bool {
	if m.left--; m.left < 0 {
		return false
	}
	switch m.nodes[n].kind {
	case Array:
		for _, k := range m.members(n) {
			if m.present(s, k.node, f) {
				return true
			}
		}
		return false
	case Object:
		if s.field == f {
			return false
		}
		below := s.towards(f)
		member := m.member(n, below.name)
		return member >= 0 && m.present(below, member, f)
	}
	return s.field == f
}
