package retry

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxRetryAfter is the longest wait that a subscriber can ask for.
const MaxRetryAfter = Day

// MaxTimeout is the longest that an attempt may take, from connecting to the
// answer's last byte. What waits for an attempt must wait longer.
const MaxTimeout = 25 * time.Second

// RetryAfter is the wait that an answer asks for, for [Schedule.After]: header
// is the answer's Retry-After. Only 429 and 503 can ask; for all other statuses,
// and for a header that [ParseRetryAfter] does not understand, it is 0.
func RetryAfter(status int, header string, now time.Time) time.Duration {
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		return 0
	}
	wait, _ := ParseRetryAfter(header, now)
	return wait
}

// ParseRetryAfter reads the value of Retry-After: whole seconds, or a date in
// any of HTTP's three formats, measured from now. Dates gone by mean 0, waits
// beyond [MaxRetryAfter] mean that much. It is false when header is neither.
func ParseRetryAfter(header string, now time.Time) (wait time.Duration, ok bool) {
	header = strings.Trim(header, " \t")
	if header == "" || len(header) > 64 {
		return 0, false
	}
	if strings.Trim(header, "0123456789") == "" {
		seconds, err := strconv.ParseInt(header, 10, 64)
		if err != nil || seconds > int64(MaxRetryAfter/time.Second) {
			return MaxRetryAfter, true // more digits than fit are a long wait too
		}
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), 0), MaxRetryAfter), true
}
