package liquid

import (
	"cmp"
	"math/big"
	"strings"
	"unicode"
)

// truthy: everything but null and false.
func truthy(v Value) bool { return v.kind != kindNull && (v.kind != kindBool || v.num != 0) }

// isEmpty is the meaning of == empty.
func isEmpty(v Value) bool {
	switch v.kind {
	case kindString:
		return v.str == ""
	case kindArray:
		return len(v.items()) == 0
	case kindObject:
		return len(v.object().keys) == 0
	}
	return false
}

// isBlank is the meaning of == blank: empty, null, false or nothing but space.
func isBlank(v Value) bool {
	if v.kind == kindString {
		return strings.IndexFunc(v.str, func(r rune) bool { return !unicode.IsSpace(r) }) < 0
	}
	return !truthy(v) || isEmpty(v)
}

// equal compares by JSON type and content; 1 equals 1.0. The work is taken from the budget.
func equal(b *Budget, x, y Value) (bool, error) {
	switch {
	case x.kind == kindEmpty:
		return isEmpty(y), nil
	case y.kind == kindEmpty:
		return isEmpty(x), nil
	case x.kind == kindBlank:
		return y.kind != kindEmpty && y.kind != kindBlank && isBlank(y), b.reading(textLen(y))
	case y.kind == kindBlank:
		return isBlank(x), b.reading(textLen(x))
	case isNumber(x) && isNumber(y):
		return compareNumbers(x, y) == 0, b.copying(len(x.str) + len(y.str))
	case x.kind != y.kind:
		return false, nil
	}
	switch x.kind {
	case kindString:
		return x.str == y.str, b.copying(min(len(x.str), len(y.str)))
	case kindArray:
		return equalItems(b, x.items(), y.items())
	case kindObject:
		return equalObjects(b, x.object(), y.object())
	case kindRange:
		return x.num == y.num && x.ref.(*span).last == y.ref.(*span).last, nil
	case kindForLoop, kindTableLoop:
		return x.ref == y.ref, nil
	}
	return x.num == y.num, nil
}

func equalItems(b *Budget, x, y []Value) (bool, error) {
	if len(x) != len(y) {
		return false, nil
	}
	for i := range x {
		if err := b.spend(1); err != nil {
			return false, err
		}
		if same, err := equal(b, x[i], y[i]); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

func equalObjects(b *Budget, x, y *object) (bool, error) {
	if len(x.keys) != len(y.keys) {
		return false, nil
	}
	for i, key := range x.keys {
		if err := b.spend(1); err != nil {
			return false, err
		}
		other, ok := y.get(key)
		if !ok {
			return false, nil
		}
		if same, err := equal(b, x.values[i], other); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

func isNumber(v Value) bool { return v.kind == kindInt || v.kind == kindBig || v.kind == kindFloat }

// compareNumbers is exact, also between integers and floats.
func compareNumbers(x, y Value) int {
	switch {
	case x.kind == kindInt && y.kind == kindInt:
		return cmp.Compare(x.num, y.num)
	case x.kind == kindFloat && y.kind == kindFloat:
		return cmp.Compare(x.float(), y.float())
	case x.kind == kindInt && y.kind == kindFloat && magnitude(x.num) < 1<<53:
		return cmp.Compare(float64(x.num), y.float())
	case x.kind == kindFloat && y.kind == kindInt && magnitude(y.num) < 1<<53:
		return cmp.Compare(x.float(), float64(y.num))
	case x.kind == kindBig && (y.kind != kindFloat || len(x.str) > maxDigits):
		return compareBig(x.str, y)
	case y.kind == kindBig && (x.kind != kindFloat || len(y.str) > maxDigits):
		return -compareBig(y.str, x)
	}
	return bigFloat(x).Cmp(bigFloat(y))
}

// compareBig compares the digits of an integer beyond int64 with y: a number that
// is nearer to 0, or another such integer.
func compareBig(digits string, y Value) int {
	s := sign(digits)
	switch {
	case y.kind != kindBig || sign(y.str) != s:
		return s
	case len(digits) != len(y.str):
		return s * cmp.Compare(len(digits), len(y.str))
	}
	return s * strings.Compare(digits, y.str)
}

// bigFloat holds any number of ours exactly.
func bigFloat(v Value) *big.Float {
	switch v.kind {
	case kindInt:
		return new(big.Float).SetInt64(v.num)
	case kindFloat:
		return new(big.Float).SetFloat64(v.float())
	}
	return new(big.Float).SetInt(bigInt(v))
}

// order is the meaning of < and of sort; ok is false for values that have no order.
func order(b *Budget, x, y Value) (sign int, ok bool, err error) {
	switch {
	case isNumber(x) && isNumber(y):
		return compareNumbers(x, y), true, b.copying(len(x.str) + len(y.str))
	case x.kind == kindString && y.kind == kindString:
		return strings.Compare(x.str, y.str), true, b.copying(min(len(x.str), len(y.str)))
	}
	return 0, false, nil
}

// contains is the meaning of x contains y.
func contains(r *run, x, y Value) (bool, error) {
	if !truthy(x) || !truthy(y) {
		return false, nil
	}
	switch x.kind {
	case kindString:
		part, err := r.string(y)
		if err != nil {
			return false, err
		}
		return strings.Contains(x.str, part), r.budget.copying(len(x.str))
	case kindObject:
		_, ok := x.object().get(y.str)
		return ok && y.kind == kindString, nil
	case kindRange:
		first, last := x.span()
		return isNumber(y) && compareNumbers(Int(first), y) <= 0 && compareNumbers(y, Int(last)) <= 0, nil
	}
	for _, item := range x.items() {
		same, err := equal(r.budget, item, y)
		if err == nil {
			err = r.budget.spend(1)
		}
		if same || err != nil {
			return same, err
		}
	}
	return false, nil
}
