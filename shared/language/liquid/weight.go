package liquid

// What the parts of a compiled template take in memory on a 64-bit machine, in
// bytes. A test holds the sums against the heap, within a factor of two.
const (
	templateWeight = 400
	itemWeight     = 36  // an output or a tag
	outputWeight   = 130 // an output more than that
	tokenWeight    = 40  // a word, a literal, a point, a sign
	nameWeight     = 90  // a variable
)

// weight is what has been compiled so far.
func (p *parser) weight() int {
	t := p.template
	return templateWeight + len(t.source) + itemWeight*p.items + outputWeight*len(t.outputs) + tokenWeight*p.passed + nameWeight*len(t.names)
}

// Weight returns about how many bytes of memory the template takes.
func (t *Template) Weight() int { return t.weight }
