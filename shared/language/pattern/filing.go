package pattern

import "strings"

// A filing is one place where a subscription is filed; remove needs it.
type filing struct {
	at   *place // nil: among those without positive conditions
	key  key
	home *bucket // nil for a span
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
