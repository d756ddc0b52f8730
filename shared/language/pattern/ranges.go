package pattern

import (
	"cmp"
	"slices"
	"sort"
)

// union returns the ranges of tests as ranges apart from each other, rising.
func union(tests []test) []span {
	all := make([]span, len(tests))
	for i, t := range tests {
		all[i] = *t.span
	}
	slices.SortFunc(all, func(a, b span) int {
		if c := cmp.Compare(a.lo, b.lo); c != 0 {
			return c
		}
		return cmp.Compare(number(a.openLo), number(b.openLo))
	})
	out := all[:1]
	for _, s := range all[1:] {
		last := &out[len(out)-1]
		if s.lo > last.hi || s.lo == last.hi && s.openLo && last.openHi {
			out = append(out, s)
			continue
		}
		if s.hi > last.hi || s.hi == last.hi && last.openHi {
			last.hi, last.openHi = s.hi, s.openHi
		}
	}
	return slices.Clip(out)
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// within says whether one of ranges, apart and rising, holds f. Two of them may touch at f.
func within(ranges []span, f float64) bool {
	i := sort.Search(len(ranges), func(i int) bool { return ranges[i].hi >= f })
	return i < len(ranges) && (ranges[i].holds(f) || i+1 < len(ranges) && ranges[i+1].holds(f))
}

// networks are many ranges of addresses, by the digits with which both of a range's ends begin.
type networks struct {
	byHead  map[string][]digitRange // at most 30 different ones have one head
	lengths []int                   // of heads, rising
}

func newNetworks(tests []test) *networks {
	n := &networks{byHead: make(map[string][]digitRange, len(tests))}
	for _, t := range tests {
		head := t.digits.common()
		if slices.Contains(n.byHead[head], t.digits) {
			continue
		}
		n.byHead[head] = append(n.byHead[head], t.digits)
		if i, found := slices.BinarySearch(n.lengths, len(head)); !found {
			n.lengths = slices.Insert(n.lengths, i, len(head))
		}
	}
	return n
}

// hold says whether digits fall into one of the ranges.
func (n *networks) hold(digits string) bool {
	for _, length := range n.lengths {
		if length > len(digits) {
			return false
		}
		for _, r := range n.byHead[digits[:length]] {
			if r.matches(digits) {
				return true
			}
		}
	}
	return false
}
