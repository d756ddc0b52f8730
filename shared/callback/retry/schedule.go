package retry

import (
	"errors"
	"fmt"
	"time"
)

// The bounds of a schedule, from the API's contract.
const (
	MaxSteps = 20
	MinStep  = time.Second
	MaxStep  = 7 * Day
)

// Schedule holds the wait after each failed attempt. The empty Schedule means
// one attempt and no more.
type Schedule []time.Duration

// DefaultSchedule is what a subscription without a schedule of its own gets:
// ten attempts within 75 hours and 35 minutes.
func DefaultSchedule() Schedule {
	const h, m = time.Hour, time.Minute
	return Schedule{5 * time.Second, 5 * m, 30 * m, 2 * h, 5 * h, 10 * h, 14 * h, 20 * h, 24 * h}
}

// The reasons to refuse a schedule. Those about one step are wrapped by an
// error that begins with its index, "[3]: ".
var (
	ErrTooManySteps = fmt.Errorf("want at most %d steps", MaxSteps)
	ErrStep         = errors.New("want a step of 1s to 7d")
)

// ParseSchedule reads steps written as in the API and checks their number and
// their range. Neither nil nor an empty list is an error: they mean one attempt.
func ParseSchedule(steps []string) (Schedule, error) {
	if len(steps) > MaxSteps {
		return nil, ErrTooManySteps
	}
	schedule := make(Schedule, len(steps))
	for i, text := range steps {
		step, err := ParseDuration(text)
		if err == nil && (step < MinStep || step > MaxStep) {
			err = ErrStep
		}
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		schedule[i] = step
	}
	return schedule, nil
}

// Strings writes the steps as the API does; never nil.
func (s Schedule) Strings() []string {
	steps := make([]string, len(s))
	for i, step := range s {
		steps[i] = FormatDuration(step)
	}
	return steps
}

// After tells how long to wait once attempts automatic attempts of this round
// have failed (1 after the first), or that the schedule is spent. The wait is
// the step ±10 %, by [Jitter], but never shorter than retryAfter, which is what
// the subscriber asked for and 0 when it asked for nothing; see [RetryAfter].
// What it asks for never makes another attempt.
func (s Schedule) After(attempts int, deliveryID string, retryAfter time.Duration) (wait time.Duration, again bool) {
	if attempts < 1 || attempts > len(s) {
		return 0, false
	}
	return max(Jitter(s[attempts-1], deliveryID, attempts), min(retryAfter, MaxRetryAfter)), true
}

// Jitter spreads step over 90 % to 110 % of itself, in whole milliseconds. It
// is a pure function of the delivery and the step's number: deliveries that
// failed together come back apart, and one that is decided twice is decided
// the same.
func Jitter(step time.Duration, deliveryID string, number int) time.Duration {
	const parts = 1 << 20
	spread := time.Duration(mix(deliveryID, number) % (parts + 1)) // 0 … parts
	tenth := step / 10
	jittered := step - tenth + tenth/(parts/2)*spread + tenth%(parts/2)*spread/(parts/2)
	return max(jittered.Truncate(time.Millisecond), time.Millisecond)
}

// mix hashes by FNV-1a and then stirs, because FNV alone leaves the high bits
// of ids that differ only at their end alike.
func mix(id string, number int) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	h += uint64(number) * 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
