package liquid

import (
	"math"
	"math/big"
	"math/bits"
)

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
