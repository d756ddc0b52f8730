// Package retry decides whether and when Postino retries a failed callback.
//
// Three tables make the decision: what a status means ([Policy.Outcome]), how
// long to wait after each attempt ([Schedule]), and how long the subscriber
// itself asks us to wait ([RetryAfter]). All of them are pure functions: who
// asks again after a crash gets the same answer.
package retry

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// ErrDuration reports text that is no duration of the API, or one too long to
// count in nanoseconds (292 years).
var ErrDuration = errors.New(`want a whole number and a unit, like "500ms", "5s", "30m", "2h" or "7d"`)

// Day is 24 hours, the unit "d".
const Day = 24 * time.Hour

// units are those of the API, longest first.
var units = []struct {
	name string
	size time.Duration
}{
	{"d", Day},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
}

// ParseDuration reads ^[1-9][0-9]*(ms|s|m|h|d)$, the API's way to write a
// duration. Anything else, such as "0s", "1.5h" or "1h30m", is [ErrDuration].
func ParseDuration(text string) (time.Duration, error) {
	for _, unit := range units {
		digits, ok := strings.CutSuffix(text, unit.name)
		if !ok || !isNumber(digits) {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n > math.MaxInt64/int64(unit.size) {
			return 0, ErrDuration
		}
		return time.Duration(n) * unit.size, nil
	}
	return 0, ErrDuration
}

// isNumber reports whether s is digits only and does not begin with 0.
func isNumber(s string) bool {
	return s != "" && s[0] != '0' && strings.Trim(s, "0123456789") == ""
}

// FormatDuration writes d in the largest unit that divides it, except that one
// day is "24h", as in the default schedule. What is below a millisecond is
// dropped; nothing, or less than nothing, is "0s", which the API never takes.
func FormatDuration(d time.Duration) string {
	if d < time.Millisecond {
		return "0s"
	}
	if d == Day {
		return "24h"
	}
	unit := 0
	for unit < len(units)-1 && d%units[unit].size != 0 {
		unit++
	}
	return strconv.FormatInt(int64(d/units[unit].size), 10) + units[unit].name
}
