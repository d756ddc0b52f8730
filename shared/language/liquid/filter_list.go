package liquid

import "slices"

var listFilters = []filter{
	{"compact", 0, 1, "", compact},
	{"concat", 1, 1, "", concat},
	{"first", 0, 0, "", func(_ *run, in Value, _ []Value) (Value, error) { return first(in), nil }},
	{"join", 0, 1, "", join},
	{"last", 0, 0, "", func(_ *run, in Value, _ []Value) (Value, error) { return last(in), nil }},
	{"map", 1, 1, "", mapItems},
	{"reverse", 0, 0, "", reverse},
	{"size", 0, 0, "", sizeOf},
	{"sort", 0, 1, "", sortItems},
	{"sort_natural", 0, 1, "", sortNatural},
	{"uniq", 0, 1, "", uniq},
}

// list is what filters for arrays see: arrays in arrays are flattened, a range becomes its numbers, anything
// else is the one item of a list, null of an empty one. The list may be the value's own: it must not be changed.
func (r *run) list(v Value) ([]Value, error) {
	switch v.kind {
	case kindNull:
		return nil, nil
	case kindRange:
		return r.numbers(v)
	case kindArray:
		items := v.items()
		if !slices.ContainsFunc(items, func(v Value) bool { return v.kind == kindArray }) {
			return items, r.budget.spend(1 + len(items)>>4)
		}
		return r.flatten(nil, items)
	}
	return []Value{v}, nil
}

func (r *run) numbers(v Value) ([]Value, error) {
	n := clampInt(v.spanLen())
	if err := r.makeItems(n); err != nil {
		return nil, err
	}
	items := make([]Value, n)
	for i := range items {
		items[i] = Int(v.num + int64(i))
	}
	return items, nil
}

func (r *run) flatten(flat, items []Value) (_ []Value, err error) {
	if err := r.makeItems(2 * len(items)); err != nil { // twice: flat grows as it goes
		return nil, err
	}
	for _, item := range items {
		if item.kind != kindArray {
			flat = append(flat, item)
		} else if flat, err = r.flatten(flat, item.items()); err != nil {
			return nil, err
		}
	}
	return flat, nil
}

// copied is the list as one that may be changed.
func (r *run) copied(v Value) ([]Value, error) {
	items, err := r.list(v)
	if err != nil {
		return nil, err
	}
	return slices.Clone(items), r.makeItems(len(items))
}

func compact(r *run, in Value, args []Value) (Value, error) {
	items, err := r.copied(in)
	if err != nil {
		return Null, err
	}
	kept := items[:0]
	for _, item := range items {
		value := item
		if len(args) > 0 && args[0].kind != kindNull {
			var has bool
			if value, has, err = r.property(item, args[0]); err != nil || !has {
				return Null, err
			}
		}
		if value.kind != kindNull {
			kept = append(kept, item)
		}
	}
	return Array(kept...), nil
}

func concat(r *run, in Value, args []Value) (Value, error) {
	if args[0].kind != kindArray {
		return Null, fault("concat wants an array as its argument")
	}
	items, err := r.list(in)
	if err != nil {
		return Null, err
	}
	more := args[0].items()
	if err := r.makeItems(len(items) + len(more)); err != nil {
		return Null, err
	}
	return Array(slices.Concat(items, more)...), nil
}

func sizeOf(r *run, in Value, _ []Value) (Value, error) {
	if err := r.budget.reading(textLen(in)); err != nil {
		return Null, err
	}
	return Int(int64(size(in))), nil
}

func join(r *run, in Value, args []Value) (Value, error) {
	items, err := r.list(in)
	if err != nil {
		return Null, err
	}
	glue := " "
	if len(args) > 0 {
		if glue, err = r.string(args[0]); err != nil {
			return Null, err
		}
	}
	w := writer{budget: r.budget}
	for i, item := range items {
		if i > 0 {
			w.add(glue)
		}
		if w.string(item); w.err != nil {
			return Null, w.err
		}
	}
	text, err := w.done()
	return String(text), err
}

func mapItems(r *run, in Value, args []Value) (Value, error) {
	items, err := r.copied(in)
	if err != nil {
		return Null, err
	}
	for i, item := range items {
		if items[i], _, err = r.property(item, args[0]); err != nil {
			return Null, err
		}
	}
	return Array(items...), nil
}

func reverse(r *run, in Value, _ []Value) (Value, error) {
	items, err := r.copied(in)
	slices.Reverse(items)
	return Array(items...), err
}

// mapEntry is about what one more entry of a map takes, in bytes.
const mapEntry = 128

func uniq(r *run, in Value, args []Value) (Value, error) {
	items, err := r.copied(in)
	if err != nil {
		return Null, err
	}
	if len(items) < 2 {
		return Array(items...), nil // nothing is compared, so nothing is looked up
	}
	seen := map[string]bool{}
	kept := items[:0]
	for _, item := range items {
		value := item
		if len(args) > 0 && args[0].kind != kindNull {
			var has bool
			if value, has, err = r.property(item, args[0]); err != nil || !has {
				return Null, err
			}
		}
		w := writer{budget: r.budget}
		w.identity(value)
		key, err := w.done()
		if err != nil {
			return Null, err
		}
		if !seen[key] {
			if err := r.make(mapEntry); err != nil {
				return Null, err
			}
			seen[key] = true
			kept = append(kept, item)
		}
	}
	return Array(kept...), nil
}
