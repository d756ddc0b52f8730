package liquid

import (
	"slices"
	"strings"
	"unicode/utf8"
)

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

// property is item[key] as Ruby has it: a member of an object, a part of a text if it occurs in it,
// a bit of an integer. It has none if item is of another kind; a key that cannot be one is a fault.
func (r *run) property(item, key Value) (v Value, has bool, err error) {
	if err := r.budget.reading(len(key.str) + textLen(item)); err != nil {
		return Null, false, err
	}
	switch {
	case item.kind == kindObject, item.kind == kindForLoop, item.kind == kindTableLoop:
		return at(item, key), true, nil
	case item.kind == kindString && key.kind == kindString:
		if strings.Contains(item.str, key.str) {
			return key, true, nil
		}
		return Null, true, nil
	case item.kind == kindString && key.kind == kindInt:
		from, to := part(clampInt(key.num), 1, utf8.RuneCountInString(item.str))
		if from == to {
			return Null, true, nil
		}
		rest := item.str[characterAt(item.str, from):]
		return String(rest[:characterAt(rest, 1)]), true, nil
	case item.kind == kindInt && key.kind == kindInt:
		if key.num < 0 {
			return Int(0), true, nil
		}
		return Int(item.num >> min(key.num, 63) & 1), true, nil
	case item.kind == kindString, item.kind == kindInt, item.kind == kindBig:
		if key.kind == kindNull {
			return Null, false, nil
		}
		name := key.Text()
		return Null, false, faultf("cannot select the property %q of a %s", name[:min(len(name), 100)], item.typeName())
	}
	return Null, false, nil
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
	if args[0].kind != kindArray && args[0].kind != kindRange {
		return Null, fault("concat wants an array as its argument")
	}
	items, err := r.list(in)
	if err != nil {
		return Null, err
	}
	more := args[0].items()
	if args[0].kind == kindRange {
		if more, err = r.numbers(args[0]); err != nil {
			return Null, err
		}
	}
	if err := r.makeItems(len(items) + len(more)); err != nil {
		return Null, err
	}
	return Array(slices.Concat(items, more)...), nil
}

// first is the first item, character, number or [name, value] pair.
func first(v Value) Value {
	switch v.kind {
	case kindArray, kindRange, kindObject:
		if s := sequenceOf(v); s.length > 0 {
			return s.at(0)
		}
	case kindString:
		return String(v.str[:characterAt(v.str, 1)])
	}
	return Null
}

func last(v Value) Value {
	switch v.kind {
	case kindArray:
		if items := v.items(); len(items) > 0 {
			return items[len(items)-1]
		}
	case kindRange:
		if first, last := v.span(); first <= last {
			return Int(last)
		}
	case kindString:
		_, n := utf8.DecodeLastRuneInString(v.str)
		return String(v.str[len(v.str)-n:])
	}
	return Null
}

// textLen is the length of a text in bytes, 0 for any other value.
func textLen(v Value) int {
	if v.kind == kindString {
		return len(v.str)
	}
	return 0
}

// size counts characters, items, members or numbers.
func size(v Value) int {
	if v.kind == kindString {
		return utf8.RuneCountInString(v.str)
	}
	return sequenceOf(v).length
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
		w.inspect(value) // tells 1, 1.0 and "1" apart
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
