package pattern

// What parts take in memory on a 64-bit machine, in bytes, with what the allocator adds. A test holds the sums against
// the heap, within a factor of two.
const (
	conditionWeight = 64
	testWeight      = 96
	entryWeight     = 40  // of a map or a list of texts, with its share of what is free
	networkWeight   = 200 // a block of addresses in a look-up
	addressWeight   = 64  // both ends of a range of addresses
	setWeight       = 160
	stepWeight      = 112 // a name in a path
	filingWeight    = 160 // a key of an index: the filing, its bucket, and its place in a map
	placeWeight     = 400 // a name of an index, with its maps
)

// Weight returns about how many bytes of memory the pattern takes.
func (p *Pattern) Weight() int {
	if p == nil {
		return 0
	}
	return p.weight
}

// weight adds up what a combination takes in a pattern of so many bytes. Conditions that were seen in another
// combination are not counted again.
func (b *branch) weight(text int, seen map[*condition]bool) int {
	n := 128 + 24*len(b.fields) + b.root.weight()
	for _, f := range b.fields {
		n += 8 + len(f.path)
		if seen[f.cond] {
			continue
		}
		if keepsText(f.cond.tests) && !seen[nil] {
			seen[nil] = true // one test keeps the whole text of the pattern
			n += text
		}
		seen[f.cond] = true
		n += conditionWeight + weights(f.cond.tests)
	}
	return n
}

func (s *step) weight() int {
	n := stepWeight + 12*len(s.fields)
	for i := range s.kids {
		n += s.kids[i].weight()
	}
	return n
}

// keepsText says whether some test holds a part of the pattern's text.
func keepsText(tests []test) bool {
	for i := range tests {
		t := &tests[i]
		if t.text != "" || t.op == opTexts || t.op == opHeads || keepsText(t.inner) {
			return true
		}
	}
	return false
}

func weights(tests []test) (n int) {
	for i := range tests {
		t := &tests[i]
		n += testWeight + weights(t.inner)
		if t.digits.lo != "" {
			n += addressWeight
		}
		if t.span != nil {
			n += 24
		}
		if t.set != nil {
			n += t.set.weight()
		}
	}
	return n
}

func (s *sets) weight() int {
	n := setWeight + entryWeight*(len(s.texts)+len(s.numbers)/2) + len(s.addresses)*(entryWeight+16) + 24*len(s.ranges)
	if s.networks != nil {
		n += networkWeight * len(s.networks.byHead)
	}
	if s.affixes != nil {
		for _, text := range s.affixes.texts {
			n += 24 + len(text)
		}
		n += entryWeight * len(s.affixes.quoted)
	}
	return n
}

// Weight returns about how many bytes of memory the index takes, its patterns included.
func (x *Index[ID]) Weight() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.root == nil {
		return 0
	}
	return x.weight + placeWeight*x.root.below
}

// weight of one subscription: its pattern, its types, and its keys. Places are counted apart, as many share them.
func (e *entry[ID]) weight() int {
	n := 240 + e.pattern.Weight() + filingWeight*len(e.filed)
	for _, t := range e.types {
		n += 16 + len(t)
	}
	return n
}
