package pattern

import (
	"math"
	"strings"
)

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
