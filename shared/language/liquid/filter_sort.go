package liquid

import (
	"math/bits"
	"slices"
	"strings"
)

// keyed is an item and what it is sorted by.
type keyed struct {
	item, key Value
	folded    string // of sort_natural
}

// keyedItems takes what a list is sorted by; ok is false if an item has no properties at all.
func (r *run) keyedItems(in Value, args []Value) (_ []keyed, ok bool, err error) {
	items, err := r.list(in)
	if err != nil {
		return nil, false, err
	}
	n := len(items)
	if err := r.makeItems(4 * n); err != nil { // three for each keyed, one for the result
		return nil, false, err
	}
	if err := r.budget.spend(n * bits.Len(uint(n))); err != nil {
		return nil, false, err
	}
	if n < 2 {
		args = nil // nothing is compared, so nothing is looked up
	}
	list := make([]keyed, n)
	for i, item := range items {
		list[i] = keyed{item: item, key: item}
		if len(args) > 0 && args[0].kind != kindNull {
			key, has, err := r.property(item, args[0])
			if err != nil || !has {
				return nil, false, err
			}
			list[i].key = key
		}
	}
	return list, true, nil
}

// sorted sorts by the rule; a rule that fails ends it.
func sorted(list []keyed, rule func(x, y *keyed) (int, error)) (Value, error) {
	var fault error
	slices.SortStableFunc(list, func(x, y keyed) int {
		if fault != nil {
			return 0
		}
		sign, err := rule(&x, &y)
		fault = err
		return sign
	})
	if fault != nil {
		return Null, fault
	}
	items := make([]Value, len(list))
	for i := range list {
		items[i] = list[i].item
	}
	return Array(items...), nil
}

// nullsLast orders null behind everything else; settled is false if neither is null.
func nullsLast(x, y Value) (sign int, settled bool) {
	switch {
	case x.kind == kindNull && y.kind == kindNull:
		return 0, true
	case x.kind == kindNull:
		return 1, true
	case y.kind == kindNull:
		return -1, true
	}
	return 0, false
}

func sortItems(r *run, in Value, args []Value) (Value, error) {
	list, ok, err := r.keyedItems(in, args)
	if !ok || err != nil {
		return Null, err
	}
	return sorted(list, func(x, y *keyed) (int, error) {
		if sign, settled := nullsLast(x.key, y.key); settled {
			return sign, nil
		}
		sign, ok, err := order(r.budget, x.key, y.key)
		if ok || err != nil {
			return sign, err
		}
		same, err := equal(r.budget, x.key, y.key)
		if !same && err == nil {
			err = faultf("cannot sort a %s with a %s", x.key.typeName(), y.key.typeName())
		}
		return 0, err
	})
}

// sortNatural sorts the texts of the keys, whatever their case.
func sortNatural(r *run, in Value, args []Value) (Value, error) {
	list, ok, err := r.keyedItems(in, args)
	if !ok || err != nil {
		return Null, err
	}
	for i := range list {
		text, err := r.string(list[i].key)
		if err != nil {
			return Null, err
		}
		if err := r.remake(len(text)); err != nil {
			return Null, err
		}
		list[i].folded = foldASCII(text)
	}
	return sorted(list, func(x, y *keyed) (int, error) {
		if sign, settled := nullsLast(x.key, y.key); settled {
			return sign, nil
		}
		return strings.Compare(x.folded, y.folded), r.budget.copying(min(len(x.folded), len(y.folded)))
	})
}

func foldASCII(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, s)
}
