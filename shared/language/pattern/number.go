package pattern

import (
	"math"
	"strconv"
	"strings"
)

// comparable64 returns the number that text writes, and whether it can be compared at all: only decimals that a
// float64 holds exactly enough to print them again are, as in event-ruler. All numbers of up to 15 significant
// digits between 1e-307 and 1e308 are; 9007199254740993 is not. Zero has no sign.
func comparable64(text string) (float64, bool) {
	if n, ok := shortInteger(text); ok {
		return n, true
	}
	digits, exponent, ok := decimal(text)
	if !ok {
		return 0, false
	}
	if digits == "" {
		return 0, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f == 0 {
		return 0, false
	}
	if len(digits) > 15 || exponent > 300 || exponent < -300 {
		again, at, _ := decimal(printed(math.Abs(f)))
		return f, again == digits && at == exponent
	}
	return f, true
}

// shortInteger reads integers of up to 15 digits: most numbers.
func shortInteger(text string) (float64, bool) {
	digits := strings.TrimPrefix(text, "-")
	if len(digits) > 15 {
		return 0, false
	}
	n := 0
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
		n = n*10 + int(digits[i]-'0')
	}
	if len(digits) < len(text) {
		n = -n
	}
	return float64(n), true
}

// printed writes f with the fewest digits that read back as f, but at least two, as Java does: it matters only
// for the smallest numbers there are (4.9e-324).
func printed(f float64) string {
	two := strconv.FormatFloat(f, 'e', 1, 64)
	if back, err := strconv.ParseFloat(two, 64); err == nil && back == f {
		return two
	}
	return strconv.FormatFloat(f, 'e', -1, 64)
}

// maxExponent is the largest that Java's BigDecimal, which event-ruler reads numbers with, can hold.
const maxExponent = math.MaxInt32

// decimal splits a JSON number into its significant digits, without zeros at either end ("" for zero), and the
// power of ten of the first digit. The sign is dropped. It fails for exponents beyond maxExponent.
func decimal(text string) (digits string, exponent int, ok bool) {
	text = strings.TrimPrefix(text, "-")
	power := 0
	if e := strings.IndexAny(text, "eE"); e >= 0 {
		n, err := strconv.Atoi(text[e+1:])
		if err != nil || n > maxExponent || n < -maxExponent {
			return "", 0, false
		}
		text, power = text[:e], n
	}
	whole, fraction, _ := strings.Cut(text, ".")
	all := whole + fraction
	digits = strings.TrimLeft(all, "0")
	exponent = power + len(whole) - (len(all) - len(digits)) - 1
	return strings.TrimRight(digits, "0"), exponent, true
}
