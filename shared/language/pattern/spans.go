package pattern

import "math/rand/v2"

// Spans are ranges of numbers, kept as a treap ordered by lower bound in which each node knows the greatest upper
// bound below it, so that the ranges around a number are found in time that follows their count.
type spans struct {
	top *spanNode
}

type spanNode struct {
	lo, hi      float64
	slot        int32
	weight      uint32 // random; greater ones are above
	most        float64
	left, right *spanNode
}

// before orders nodes by lower bound and slot.
func (n *spanNode) before(lo float64, slot int32) bool {
	return n.lo < lo || n.lo == lo && n.slot < slot
}

func (n *spanNode) update() {
	n.most = n.hi
	if n.left != nil {
		n.most = max(n.most, n.left.most)
	}
	if n.right != nil {
		n.most = max(n.most, n.right.most)
	}
}

// add files a range; ends count as in it.
func (s *spans) add(lo, hi float64, slot int32) {
	s.top = s.top.insert(&spanNode{lo: lo, hi: hi, most: hi, slot: slot, weight: rand.Uint32()})
}

func (n *spanNode) insert(new *spanNode) *spanNode {
	if n == nil {
		return new
	}
	if n.weight < new.weight {
		new.left, new.right = n.split(new.lo, new.slot)
		new.update()
		return new
	}
	if n.before(new.lo, new.slot) {
		n.right = n.right.insert(new)
	} else {
		n.left = n.left.insert(new)
	}
	n.update()
	return n
}

// split divides n into the nodes before (lo, slot) and the others.
func (n *spanNode) split(lo float64, slot int32) (before, rest *spanNode) {
	if n == nil {
		return nil, nil
	}
	if n.before(lo, slot) {
		n.right, rest = n.right.split(lo, slot)
		n.update()
		return n, rest
	}
	before, n.left = n.left.split(lo, slot)
	n.update()
	return before, n
}

// remove takes out one range filed for slot with this lower bound.
func (s *spans) remove(lo float64, slot int32) {
	s.top = s.top.delete(lo, slot)
}

func (n *spanNode) delete(lo float64, slot int32) *spanNode {
	switch {
	case n == nil:
		return nil
	case n.lo == lo && n.slot == slot:
		return join(n.left, n.right)
	case n.before(lo, slot):
		n.right = n.right.delete(lo, slot)
	default:
		n.left = n.left.delete(lo, slot)
	}
	n.update()
	return n
}

// join makes one treap of two, all of whose left nodes come before the right ones.
func join(left, right *spanNode) *spanNode {
	switch {
	case left == nil:
		return right
	case right == nil:
		return left
	case left.weight >= right.weight:
		left.right = join(left.right, right)
		left.update()
		return left
	}
	right.left = join(left, right.left)
	right.update()
	return right
}

// find takes all ranges around f.
func (s *spans) find(c *candidates, f float64) {
	s.top.find(f, func(slot int32) bool { c.add(slot); return c.left >= 0 })
}

// count returns how many ranges are around f, up to limit.
func (s *spans) count(f float64, limit int) int {
	n := 0
	s.top.find(f, func(int32) bool { n++; return n < limit })
	return n
}

func (n *spanNode) find(f float64, yield func(int32) bool) bool {
	if n == nil || n.most < f {
		return true
	}
	if !n.left.find(f, yield) {
		return false
	}
	if n.lo > f {
		return true
	}
	if n.hi >= f && !yield(n.slot) {
		return false
	}
	return n.right.find(f, yield)
}
