package liquid

import (
	"math"
	"math/big"
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
	for end < len(s) && (isDigit(s[end]) || groups(s, end)) {
		end++
	}
	if end > maxDigits {
		return Null, errTooLarge
	}
	n, ok := new(big.Int).SetString(strings.ReplaceAll(strings.TrimPrefix(s[:end], "+"), "_", ""), 10)
	if !ok {
		return Int(0), nil
	}
	return integerFrom(n)
}

// groups reports a _ between two digits, as in 1_000.
func groups(s string, i int) bool {
	return s[i] == '_' && i > 0 && isDigit(s[i-1]) && i+1 < len(s) && isDigit(s[i+1])
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
