package liquid

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// maxDigits is the longest number, in characters, that arithmetic takes or makes.
const maxDigits = 400

const errTooLarge = fault("number too large")

// bigInt returns the integer v, which is not a float and has at most maxDigits digits.
func bigInt(v Value) *big.Int {
	if v.kind == kindInt {
		return big.NewInt(v.num)
	}
	n, _ := new(big.Int).SetString(v.str, 10)
	return n
}

// integerFrom makes a value of n, small again if it fits.
func integerFrom(n *big.Int) (Value, error) {
	if n.IsInt64() {
		return Int(n.Int64()), nil
	}
	if n.BitLen() > maxDigits*10/3 {
		return Null, errTooLarge
	}
	return Value{kind: kindBig, str: n.String()}, nil
}

// toNumber is what arithmetic takes v for: strings by their leading digits, what is no number as 0.
func toNumber(v Value) (Value, error) {
	switch v.kind {
	case kindInt:
		return v, nil
	case kindFloat:
		if math.IsInf(v.float(), 0) {
			return Null, errTooLarge
		}
		return v, nil
	case kindBig:
		if len(v.str) > maxDigits {
			return Null, errTooLarge
		}
		return v, nil
	case kindString:
		return numberIn(v.str)
	}
	return Int(0), nil
}

// numberIn reads the number a string begins with; one with a point must be the whole string.
func numberIn(s string) (Value, error) {
	s = strings.TrimLeft(s[:min(len(s), 2*maxDigits)], spaces)
	if whole := strings.TrimRight(s, spaces); isDecimal(whole) {
		if len(whole) > maxDigits {
			return Null, errTooLarge
		}
		f, err := strconv.ParseFloat(whole, 64)
		if err != nil {
			return Null, errTooLarge
		}
		return float(f), nil
	}
	end := 0
	if s != "" && (s[0] == '-' || s[0] == '+') {
		end = 1
	}
	for end < len(s) && isDigit(s[end]) {
		end++
	}
	if end > maxDigits {
		return Null, errTooLarge
	}
	n, ok := new(big.Int).SetString(strings.TrimPrefix(s[:end], "+"), 10)
	if !ok {
		return Int(0), nil
	}
	return integerFrom(n)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isDecimal reports digits, a point and digits.
func isDecimal(s string) bool {
	before, after, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	return point && allDigits(before) && allDigits(after)
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// toInteger is for arguments that must be integers: a number or its digits in a string.
func toInteger(v Value) (int, error) {
	switch v.kind {
	case kindInt:
		return clampInt(v.num), nil
	case kindBig:
		return int(math.MaxInt32) * sign(v.str), nil
	case kindString:
		s := strings.Trim(v.str[:min(len(v.str), maxDigits)], spaces)
		if allDigits(strings.TrimLeft(s, "+-")) {
			n, err := strconv.ParseInt(s, 10, 64)
			if err == nil || n != 0 { // out of range gives the end of the range
				return clampInt(n), nil
			}
		}
	}
	return 0, fault("want an integer")
}

func sign(digits string) int {
	if strings.HasPrefix(digits, "-") {
		return -1
	}
	return 1
}

// clampInt keeps counts and offsets where sums of a few cannot overflow.
func clampInt(n int64) int { return int(max(-math.MaxInt32, min(n, math.MaxInt32))) }

// looseInteger is for the arguments of tablerow and the ends of a range: what is no number is 0.
func looseInteger(v Value) (Value, error) {
	n, err := toNumber(v)
	if err != nil || n.kind != kindFloat {
		return n, err
	}
	whole, _ := big.NewFloat(n.float()).Int(nil)
	return integerFrom(whole)
}

// arithmetic applies op to integers as integers and to everything else as exact decimals.
func arithmetic(b *Budget, op byte, x, y Value) (Value, error) {
	x, err := toNumber(x)
	if err != nil {
		return Null, err
	}
	y, err = toNumber(y)
	if err != nil {
		return Null, err
	}
	if (op == '/' || op == '%') && isZero(y) {
		return Null, fault("divided by 0")
	}
	switch {
	case x.kind == kindInt && y.kind == kindInt:
		if n, ok := smallArithmetic(op, x.num, y.num); ok {
			return Int(n), nil
		}
	case x.kind == kindFloat || y.kind == kindFloat:
		if v, ok := decimalArithmetic(op, x, y); ok {
			return v, nil
		}
	}
	if err := b.long(); err != nil {
		return Null, err
	}
	if x.kind != kindFloat && y.kind != kindFloat {
		return bigArithmetic(op, bigInt(x), bigInt(y))
	}
	return rationalArithmetic(op, rational(x), rational(y))
}

// long takes the steps and the memory for an operation on numbers of many digits.
func (b *Budget) long() error {
	if err := b.spend(100); err != nil {
		return err
	}
	return b.alloc(4096)
}

func isZero(v Value) bool {
	return v.kind == kindInt && v.num == 0 || v.kind == kindFloat && v.float() == 0
}

// smallArithmetic reports ok unless the result overflows.
func smallArithmetic(op byte, x, y int64) (n int64, ok bool) {
	switch op {
	case '+':
		n = x + y
		return n, (n > x) == (y > 0)
	case '-':
		n = x - y
		return n, (n < x) == (y > 0)
	case '*':
		high, low := bits.Mul64(magnitude(x), magnitude(y))
		return x * y, high == 0 && low < 1<<63
	case '/':
		return floorDiv(x, y), x != math.MinInt64
	}
	return x - y*floorDiv(x, y), x != math.MinInt64
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func floorDiv(x, y int64) int64 {
	q := x / y
	if x%y != 0 && (x < 0) != (y < 0) {
		q--
	}
	return q
}

func bigArithmetic(op byte, x, y *big.Int) (Value, error) {
	n := new(big.Int)
	switch op {
	case '+':
		n.Add(x, y)
	case '-':
		n.Sub(x, y)
	case '*':
		n.Mul(x, y)
	case '/':
		floorDivBig(n, new(big.Int), x, y)
	case '%':
		floorDivBig(new(big.Int), n, x, y)
	}
	return integerFrom(n)
}

// floorDivBig divides towards minus infinity; the remainder has the sign of y.
func floorDivBig(quotient, remainder, x, y *big.Int) {
	quotient.QuoRem(x, y, remainder)
	if remainder.Sign() != 0 && remainder.Sign() != y.Sign() {
		quotient.Sub(quotient, big.NewInt(1))
		remainder.Add(remainder, y)
	}
}
