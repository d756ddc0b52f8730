package pattern

import (
	"slices"
	"sort"
)

// A place is a field that some subscription is filed at, or on the way to one.
type place struct {
	name   string
	parent *place
	kids   map[string]*place
	values *values // nil if nothing is filed here
	below  int     // places below, kept at the root
}

// at returns the place of a path, made if need be.
func (p *place) at(path []string) *place {
	root := p
	for _, name := range path {
		below := p.kids[name]
		if below == nil {
			if p.kids == nil {
				p.kids = map[string]*place{}
			}
			below = &place{name: name, parent: p}
			p.kids[name] = below
			root.below++
		}
		p = below
	}
	return p
}

// find returns the place of a path, or nil.
func (p *place) find(path []string) *place {
	for _, name := range path {
		if p = p.kids[name]; p == nil {
			return nil
		}
	}
	return p
}

// prune removes the place if it holds nothing, and then those above it.
func (p *place) prune() {
	root := p
	for root.parent != nil {
		root = root.parent
	}
	for p.parent != nil && p.values == nil && len(p.kids) == 0 {
		delete(p.parent.kids, p.name)
		root.below--
		p = p.parent
	}
}

// values is what subscriptions at one place want of the value there.
type values struct {
	any     bucket             // any value at all
	texts   map[string]*bucket // strings, and with the prefix "\x00" the literals true, false, null
	numbers map[float64]*bucket
	affixes [affixKinds]*affixes
	spans   spans
	filings int // how many there are
}

// An affixKind says which part of a value an affix is compared with.
type affixKind uint8

const (
	heads      affixKind = iota // the beginning of a string
	tails                       // its end
	lowerHeads                  // the beginning with ASCII letters lowered
	lowerTails                  // the end with ASCII letters lowered
	digitHeads                  // the beginning of an address's digits, or of a number's text
	affixKinds
)

// maxAffix is how many bytes of an affix are looked up at most; the rest is left to the check.
const maxAffix = 64

// Affixes are beginnings or ends of values, found by looking up each length that occurs.
type affixes struct {
	buckets map[string]*bucket
	lengths []int32 // rising
	counts  []int32 // of each length, how many buckets
}

func (a *affixes) add(s string) *bucket {
	if b := a.buckets[s]; b != nil {
		return b
	}
	b := &bucket{}
	a.buckets[s] = b
	i := a.lengthIndex(len(s))
	if i == len(a.lengths) || a.lengths[i] != int32(len(s)) {
		a.lengths = slices.Insert(a.lengths, i, int32(len(s)))
		a.counts = slices.Insert(a.counts, i, 0)
	}
	a.counts[i]++
	return b
}

func (a *affixes) remove(s string) {
	delete(a.buckets, s)
	i := a.lengthIndex(len(s))
	if a.counts[i]--; a.counts[i] == 0 {
		a.lengths = slices.Delete(a.lengths, i, i+1)
		a.counts = slices.Delete(a.counts, i, i+1)
	}
}

func (a *affixes) lengthIndex(n int) int {
	return sort.Search(len(a.lengths), func(i int) bool { return a.lengths[i] >= int32(n) })
}

// find takes the buckets of all beginnings, or ends, of s.
func (a *affixes) find(c *candidates, s string, end bool) {
	for _, n := range a.lengths {
		n := int(n)
		if n > len(s) {
			return
		}
		c.left -= 4
		part := s[:n]
		if end {
			part = s[len(s)-n:]
		}
		c.take(a.buckets[part])
	}
}

// find takes all buckets that v falls into.
func (x *values) find(c *candidates, v *node) {
	c.take(&x.any)
	switch v.kind {
	case String:
		c.left -= 4 + len(v.text)>>4
		c.take(x.texts[v.text])
		x.findAffixes(c, v.text)
	case Number:
		if v.comparable {
			c.take(x.numbers[v.num])
			x.spans.find(c, v.num)
		}
		if a := x.affixes[digitHeads]; a != nil {
			a.find(c, v.raw, false)
		}
	default:
		c.take(x.texts["\x00"+v.text])
	}
}

func (x *values) findAffixes(c *candidates, s string) {
	if a := x.affixes[heads]; a != nil {
		a.find(c, s, false)
	}
	if a := x.affixes[tails]; a != nil {
		a.find(c, s, true)
	}
	if x.affixes[lowerHeads] != nil || x.affixes[lowerTails] != nil {
		lower := asciiLower(s)
		if a := x.affixes[lowerHeads]; a != nil {
			a.find(c, lower, false)
		}
		if a := x.affixes[lowerTails]; a != nil {
			a.find(c, lower, true)
		}
	}
	if a := x.affixes[digitHeads]; a != nil {
		var buf [32]byte
		if digits := addressDigits(buf[:0], s); digits != nil {
			a.find(c, string(digits), false)
		}
	}
}

// A bucket holds the slots of the subscriptions filed under one condition.
type bucket struct {
	slots []int32
}

func (b *bucket) len() int {
	if b == nil {
		return 0
	}
	return len(b.slots)
}

func (b *bucket) remove(slot int32) {
	if i := slices.Index(b.slots, slot); i >= 0 {
		last := len(b.slots) - 1
		b.slots[i] = b.slots[last]
		b.slots = b.slots[:last]
	}
}
