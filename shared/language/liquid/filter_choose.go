package liquid

var chooseFilters = []filter{
	{"find", 1, 2, "", choose(findItem, true)},
	{"find_index", 1, 2, "", choose(findIndex, true)},
	{"has", 1, 2, "", choose(hasItem, true)},
	{"reject", 1, 2, "", choose(rejectItems, false)},
	{"where", 1, 2, "", choose(whereItems, false)},
}

var otherFilters = []filter{
	{"default", 0, 1, "allow_false", orElse},
}

// choose makes a filter that asks of each item whether a property is as wanted: equal to the second argument, or
// truthy without one. If the first match decides, the items behind it are not looked at. Items without properties
// give null.
func choose(pick func(items []Value, matches []bool) Value, firstDecides bool) func(*run, Value, []Value) (Value, error) {
	return func(r *run, in Value, args []Value) (Value, error) {
		items, err := r.list(in)
		if err != nil || args[0].kind == kindNull && !firstDecides {
			return Null, err
		}
		if err := r.makeItems(len(items)); err != nil {
			return Null, err
		}
		matches := make([]bool, len(items))
		for i, item := range items {
			value, has, err := r.property(item, args[0])
			if err != nil || !has {
				return Null, err
			}
			if len(args) < 2 || args[1].kind == kindNull {
				matches[i] = truthy(value)
			} else if matches[i], err = equal(r.budget, value, args[1]); err != nil {
				return Null, err
			}
			if matches[i] && firstDecides {
				break
			}
		}
		return pick(items, matches), nil
	}
}

func findItem(items []Value, matches []bool) Value {
	for i := range items {
		if matches[i] {
			return items[i]
		}
	}
	return Null
}

func findIndex(items []Value, matches []bool) Value {
	for i := range items {
		if matches[i] {
			return Int(int64(i))
		}
	}
	return Null
}

func hasItem(items []Value, matches []bool) Value {
	return Bool(!findIndex(items, matches).IsNull())
}

func whereItems(items []Value, matches []bool) Value  { return keep(items, matches, true) }
func rejectItems(items []Value, matches []bool) Value { return keep(items, matches, false) }

func keep(items []Value, matches []bool, wanted bool) Value {
	kept := make([]Value, 0, len(items))
	for i := range items {
		if matches[i] == wanted {
			kept = append(kept, items[i])
		}
	}
	return Array(kept...)
}

// orElse is the filter default: it replaces null, false and what is empty.
func orElse(r *run, in Value, args []Value) (Value, error) {
	missing := !truthy(in)
	if r.allowFalse {
		missing = in.kind == kindNull
	}
	switch {
	case !missing && !isEmpty(in):
		return in, nil
	case len(args) == 0:
		return String(""), nil
	}
	return args[0], nil
}
