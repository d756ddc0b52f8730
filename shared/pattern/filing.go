package pattern

import (
	"math"
	"strings"
)

// A filing is one place where a subscription is filed; remove needs it.
type filing struct {
	at   *place // nil: among those without positive conditions
	key  key
	home *bucket // nil for a span
}

// A key is one look-up by which an event finds a subscription.
type key struct {
	kind   keyKind
	affix  affixKind // of byAffix
	text   string    // of byText and byAffix
	number float64   // of byNumber; the lower bound of bySpan
	upper  float64   // of bySpan
}

type keyKind uint8

const (
	byAny keyKind = iota
	byText
	byNumber
	byAffix
	bySpan
)

// eachKey calls yield with the keys under which an event that meets the condition can be found, and says whether
// there are such: a missing value cannot be looked up.
func (c *condition) eachKey(yield func(key)) bool {
	if c.absent {
		return false
	}
	for i := range c.tests {
		c.tests[i].eachKey(yield)
	}
	return true
}

func (t *test) eachKey(yield func(key)) {
	switch t.op {
	case opText:
		yield(key{kind: byText, text: t.text})
	case opTexts:
		for text := range t.set.texts {
			yield(key{kind: byText, text: text})
		}
	case opNumber:
		yield(key{kind: byNumber, number: t.span.lo})
	case opNumbers:
		for n := range t.set.numbers {
			yield(key{kind: byNumber, number: n})
		}
	case opAddresses:
		for digits := range t.set.addresses {
			yield(headKey(digitHeads, digits))
		}
	case opLiteral:
		yield(key{kind: byText, text: "\x00" + t.text})
	case opRange:
		yield(key{kind: bySpan, number: t.span.lo, upper: t.span.hi})
	default:
		yield(t.affixKey())
	}
}

// affixKey is the key of tests that begin or end with something known. A quote at the far end of a prefix or suffix
// need not be in the value (see "Inherited oddities"), so it is not looked up.
func (t *test) affixKey() key {
	switch t.op {
	case opPrefix:
		return headKey(heads, strings.TrimSuffix(t.text, `"`))
	case opSuffix:
		return tailKey(tails, strings.TrimPrefix(t.text, `"`))
	case opWildcard:
		head, tail, whole := wildcardEnds(t.text)
		switch {
		case whole:
			return key{kind: byText, text: head}
		case len(head) >= len(tail):
			return headKey(heads, head)
		}
		return tailKey(tails, tail)
	case opFold, opFoldPrefix:
		if head := asciiHead(t.text); head > 0 || t.op == opFoldPrefix {
			return headKey(lowerHeads, strings.TrimSuffix(asciiLower(t.text[:head]), `"`))
		}
		return tailKey(lowerTails, asciiLower(t.text[len(t.text)-asciiTail(t.text):]))
	case opFoldSuffix:
		tail := t.text[len(t.text)-asciiTail(t.text):]
		return tailKey(lowerTails, strings.TrimPrefix(asciiLower(tail), `"`))
	case opDigits:
		return headKey(digitHeads, t.digits.common())
	}
	return key{kind: byAny} // exists, anything but: some value
}

func headKey(kind affixKind, s string) key {
	if s == "" {
		return key{kind: byAny}
	}
	return key{kind: byAffix, affix: kind, text: s[:min(len(s), maxAffix)]}
}

func tailKey(kind affixKind, s string) key {
	if s == "" {
		return key{kind: byAny}
	}
	return key{kind: byAffix, affix: kind, text: s[max(0, len(s)-maxAffix):]}
}

// file puts e where events find it: for each branch of its pattern, under the cheapest of the branch's conditions
// and the types.
func (x *Index[ID]) file(e *entry[ID]) []filing {
	var types *field
	if len(e.types) > 0 {
		types = &field{"type", typeCondition(e.types)}
	}
	chosen := map[*condition]string{}
	for _, fields := range e.pattern.fieldsOfBranches() {
		best := x.cheapest(fields, types, chosen)
		if best == nil {
			x.always.slots = append(x.always.slots, e.slot)
			return []filing{{home: x.always}}
		}
		chosen[best.cond] = best.path
	}
	filed := make([]filing, 0, len(chosen))
	for cond, path := range chosen {
		at := x.root.at(strings.Split(path, "."))
		cond.eachKey(func(k key) { filed = append(filed, at.file(k, e.slot)) })
	}
	return filed
}

// fieldsOfBranches returns the fields of each branch; no pattern is one branch without any.
func (p *Pattern) fieldsOfBranches() [][]field {
	if p == nil {
		return [][]field{nil}
	}
	all := make([][]field, len(p.branches))
	for i, b := range p.branches {
		all[i] = b.fields
	}
	return all
}

// cheapest returns the field by which an event should find a branch: one that another branch has chosen, or that
// which makes the fewest needless candidates. Nil if all may be missing.
func (x *Index[ID]) cheapest(fields []field, types *field, chosen map[*condition]string) *field {
	if types != nil && chosen[types.cond] != "" {
		return types
	}
	var best *field
	least := math.Inf(1)
	for i := range fields {
		f := &fields[i]
		if _, ok := chosen[f.cond]; ok {
			return f
		}
		if cost := x.cost(f); cost < least {
			best, least = f, cost
		}
	}
	if types != nil && x.cost(types) < least {
		return types
	}
	return best
}

// Weights say how likely an event is to find a key, compared with a value of its payload that is given exactly.
// They were chosen by hand: what matters is the order, and that none is so large that many subscriptions pile up
// at a popular value before a rare field is used. Times the number of subscriptions already there they make the
// cost of a key.
const (
	exactWeight    = 1
	affixWeight    = 2
	spanWeight     = 2
	envelopeWeight = 8  // source or type: there are few of them
	literalWeight  = 8  // true, false, null
	openWeight     = 32 // ranges with one end
	anyWeight      = 32 // any value
)

// enough is how many neighbours of a range are counted at most.
const enough = 64

// cost estimates how many candidates it adds to file a subscription under a field; infinite if that is impossible.
func (x *Index[ID]) cost(f *field) float64 {
	total, first := 0.0, 1.0
	at := x.root.find(strings.Split(f.path, "."))
	if f.path == "type" || f.path == "source" {
		first = envelopeWeight
	}
	var held *values
	if at != nil {
		held = at.values
	}
	if !f.cond.eachKey(func(k key) { total += k.weight() * first * float64(1+held.count(k)) }) {
		return math.Inf(1)
	}
	return total
}

func (k key) weight() float64 {
	switch {
	case k.kind == byAny:
		return anyWeight
	case k.kind == byAffix:
		return affixWeight
	case k.kind == bySpan && (k.number == -math.MaxFloat64 || k.upper == math.MaxFloat64):
		return openWeight
	case k.kind == bySpan:
		return spanWeight
	case k.kind == byText && strings.HasPrefix(k.text, "\x00"):
		return literalWeight
	}
	return exactWeight
}

// count returns how many subscriptions an event that finds key k finds with it, about.
func (x *values) count(k key) int {
	if x == nil {
		return 0
	}
	switch k.kind {
	case byText:
		return x.texts[k.text].len()
	case byNumber:
		return x.numbers[k.number].len()
	case byAffix:
		if a := x.affixes[k.affix]; a != nil {
			return a.buckets[k.text].len()
		}
		return 0
	case bySpan:
		return x.spans.count(k.number, enough)
	}
	return x.any.len()
}

// file puts a slot under a key at p.
func (p *place) file(k key, slot int32) filing {
	if p.values == nil {
		p.values = &values{}
	}
	x := p.values
	x.filings++
	if k.kind == bySpan {
		x.spans.add(k.number, k.upper, slot)
		return filing{at: p, key: k}
	}
	b := x.bucket(k)
	b.slots = append(b.slots, slot)
	return filing{p, k, b}
}

// bucket returns the bucket of a key, made if need be.
func (x *values) bucket(k key) *bucket {
	switch k.kind {
	case byText:
		return bucketOf(&x.texts, k.text)
	case byNumber:
		return bucketOf(&x.numbers, k.number)
	case byAffix:
		if x.affixes[k.affix] == nil {
			x.affixes[k.affix] = &affixes{buckets: map[string]*bucket{}}
		}
		return x.affixes[k.affix].add(k.text)
	}
	return &x.any
}

func bucketOf[K comparable](buckets *map[K]*bucket, k K) *bucket {
	if *buckets == nil {
		*buckets = map[K]*bucket{}
	}
	b := (*buckets)[k]
	if b == nil {
		b = &bucket{}
		(*buckets)[k] = b
	}
	return b
}

// remove undoes a filing and drops what became empty.
func (f filing) remove(slot int32) {
	if f.home != nil {
		f.home.remove(slot)
	}
	if f.at == nil {
		return
	}
	x := f.at.values
	switch {
	case f.key.kind == bySpan:
		x.spans.remove(f.key.number, slot)
	case len(f.home.slots) > 0:
	case f.key.kind == byText:
		delete(x.texts, f.key.text)
	case f.key.kind == byNumber:
		delete(x.numbers, f.key.number)
	case f.key.kind == byAffix:
		x.affixes[f.key.affix].remove(f.key.text)
	}
	if x.filings--; x.filings == 0 {
		f.at.values = nil
		f.at.prune()
	}
}
