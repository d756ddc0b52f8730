package liquid

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// decimal is the number coefficient / 10^scale. Floats are computed as the decimals they are
// written as, so 10.1 minus 2.2 is 7.9; the result is a float again.
type decimal struct {
	coefficient int64
	scale       int
}

const (
	smallCoefficient = 1 << 26 // products of two are exact in a float
	smallScale       = 9
)

var powers = [2*smallScale + 1]int64{1}

func init() {
	for i := 1; i < len(powers); i++ {
		powers[i] = powers[i-1] * 10
	}
}

// small returns v as a decimal of few digits, as nearly all are.
func small(v Value) (d decimal, ok bool) {
	if v.kind == kindInt {
		return decimal{v.num, 0}, magnitude(v.num) < smallCoefficient
	}
	if v.kind == kindBig {
		return d, false
	}
	f := v.float()
	for scale := 0; scale <= smallScale; scale++ {
		scaled := f * float64(powers[scale])
		if math.Abs(scaled) >= smallCoefficient {
			return d, false
		}
		n := math.Round(scaled)
		if n/float64(powers[scale]) == f { // the shortest decimal that reads back as f
			return decimal{int64(n), scale}, true
		}
	}
	return d, false
}

func (d decimal) value() Value { return float(float64(d.coefficient) / float64(powers[d.scale])) }

// at returns the coefficient that d has with a larger scale.
func (d decimal) at(scale int) int64 { return d.coefficient * powers[scale-d.scale] }

// decimalArithmetic computes decimals of few digits, if the result is exact; otherwise ok is false.
func decimalArithmetic(op byte, x, y Value) (v Value, ok bool) {
	a, smallA := small(x)
	b, smallB := small(y)
	if smallA && smallB {
		scale := max(a.scale, b.scale)
		m, n := a.at(scale), b.at(scale)
		switch {
		case op == '*':
			return decimal{a.coefficient * b.coefficient, a.scale + b.scale}.value(), true
		case max(magnitude(m), magnitude(n)) >= 1<<52:
			// too long for exact floats
		case op == '/':
			return float(float64(m) / float64(n)), true
		default:
			if sum, ok := smallArithmetic(op, m, n); ok {
				return decimal{sum, scale}.value(), true
			}
		}
	}
	return Null, false
}

// rational holds any number exactly as it is written.
func rational(v Value) *big.Rat {
	if v.kind != kindFloat {
		return new(big.Rat).SetInt(bigInt(v))
	}
	q, _ := new(big.Rat).SetString(strconv.FormatFloat(v.float(), 'g', -1, 64))
	return q
}

func rationalArithmetic(op byte, x, y *big.Rat) (Value, error) {
	q := new(big.Rat)
	switch op {
	case '+':
		q.Add(x, y)
	case '-':
		q.Sub(x, y)
	case '*':
		q.Mul(x, y)
	case '/':
		q.Quo(x, y)
	case '%':
		whole := new(big.Rat).SetInt(floor(q.Quo(x, y)))
		q.Sub(x, whole.Mul(whole, y))
	}
	return floatFrom(q)
}

func floatFrom(q *big.Rat) (Value, error) {
	f, _ := q.Float64()
	if math.IsInf(f, 0) {
		return Null, errTooLarge
	}
	return float(f), nil
}

// floor returns the largest integer that is not above q.
func floor(q *big.Rat) *big.Int {
	n := new(big.Int)
	floorDivBig(n, new(big.Int), q.Num(), q.Denom())
	return n
}

func ceil(q *big.Rat) *big.Int {
	n := floor(new(big.Rat).Neg(q))
	return n.Neg(n)
}

// roundHalfUp rounds to the nearest integer, halves away from zero.
func roundHalfUp(q *big.Rat) *big.Int {
	half := big.NewRat(1, 2)
	if q.Sign() < 0 {
		return ceil(half.Sub(q, half))
	}
	return floor(half.Add(q, half))
}

// roundTo rounds v to a number of digits behind the point; with fewer than one the result is an integer.
func roundTo(v Value, digits int) (Value, error) {
	if v.kind != kindFloat && digits >= 0 {
		return v, nil
	}
	if digits < -maxDigits {
		return Int(0), nil
	}
	if v.kind == kindFloat && digits >= max(1, decimals(v.float())) {
		return v, nil
	}
	q := rational(v)
	shift := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(digits, -digits))), nil))
	if digits < 0 {
		shift.Inv(shift)
	}
	rounded := new(big.Rat).SetInt(roundHalfUp(q.Mul(q, shift)))
	rounded.Quo(rounded, shift)
	if digits < 1 {
		return integerFrom(roundHalfUp(rounded))
	}
	return floatFrom(rounded)
}

// decimals is the number of digits behind the point in the shortest text for f, less than 0 for 1.0e+20.
func decimals(f float64) int {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	n, _ := strconv.Atoi(exponent)
	_, fraction, _ := strings.Cut(mantissa, ".")
	return len(fraction) - n
}
