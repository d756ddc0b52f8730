package liquid

import "math/big"

var mathFilters = []filter{
	{"abs", 0, 0, "", abs},
	{"at_least", 1, 1, "", limit(1)},
	{"at_most", 1, 1, "", limit(-1)},
	{"ceil", 0, 0, "", whole(ceil)},
	{"divided_by", 1, 1, "", operation('/')},
	{"floor", 0, 0, "", whole(floor)},
	{"minus", 1, 1, "", operation('-')},
	{"modulo", 1, 1, "", operation('%')},
	{"plus", 1, 1, "", operation('+')},
	{"round", 0, 1, "", round},
	{"sum", 0, 1, "", sum},
	{"times", 1, 1, "", operation('*')},
}

func operation(op byte) func(*run, Value, []Value) (Value, error) {
	return func(r *run, in Value, args []Value) (Value, error) { return arithmetic(r.budget, op, in, args[0]) }
}

func abs(r *run, in Value, _ []Value) (Value, error) {
	n, err := toNumber(in)
	if err != nil || compareNumbers(n, Int(0)) >= 0 {
		return computed(n), err
	}
	return arithmetic(r.budget, '-', Int(0), n)
}

// computed forgets how a number was written: what a filter gives is printed as numbers are.
func computed(v Value) Value {
	if v.kind != kindBig {
		v.str = ""
	}
	return v
}

// limit moves a number up to the argument (direction 1) or down to it (-1).
func limit(direction int) func(*run, Value, []Value) (Value, error) {
	return func(_ *run, in Value, args []Value) (Value, error) {
		n, err := toNumber(in)
		if err != nil {
			return Null, err
		}
		end, err := toNumber(args[0])
		if err != nil {
			return Null, err
		}
		if compareNumbers(end, n)*direction > 0 {
			return computed(end), nil
		}
		return computed(n), nil
	}
}

// whole rounds to an integer by one rule.
func whole(rule func(*big.Rat) *big.Int) func(*run, Value, []Value) (Value, error) {
	return func(r *run, in Value, _ []Value) (Value, error) {
		n, err := toNumber(in)
		if err != nil || n.kind != kindFloat {
			return computed(n), err
		}
		if err := r.budget.long(); err != nil {
			return Null, err
		}
		return integerFrom(rule(rational(n)))
	}
}

func round(r *run, in Value, args []Value) (Value, error) {
	n, err := toNumber(in)
	if err != nil {
		return Null, err
	}
	digits := Int(0)
	if len(args) > 0 {
		if digits, err = looseInteger(args[0]); err != nil || digits.kind != kindInt {
			return Null, errTooLarge
		}
	}
	if err := r.budget.long(); err != nil {
		return Null, err
	}
	n, err = roundTo(n, clampInt(digits.num))
	return computed(n), err
}

func sum(r *run, in Value, args []Value) (Value, error) {
	items, err := r.list(in)
	if err != nil {
		return Null, err
	}
	total := Int(0)
	for _, item := range items {
		if len(args) > 0 && args[0].kind != kindNull {
			if item, _, err = r.property(item, args[0]); err != nil {
				return Null, err
			}
		}
		if err := r.budget.spend(1); err != nil {
			return Null, err
		}
		n, err := toNumber(item)
		if err != nil {
			return Null, err
		}
		if total, err = arithmetic(r.budget, '+', total, n); err != nil {
			return Null, err
		}
	}
	return total, nil
}
