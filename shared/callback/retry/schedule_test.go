package retry

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDefaultScheduleIsTheContracts(t *testing.T) {
	want := []string{"5s", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h"}
	if diff := cmp.Diff(want, DefaultSchedule().Strings()); diff != "" {
		t.Errorf("default schedule (-want +got):\n%s", diff)
	}
	parsed, err := ParseSchedule(want)
	if diff := cmp.Diff(DefaultSchedule(), parsed); diff != "" || err != nil {
		t.Errorf("ParseSchedule: %v (-want +got):\n%s", err, diff)
	}
}

func TestSchedulesAreBounded(t *testing.T) {
	steps := func(n int) []string { return strings.Split(strings.Repeat("1s,", n)+"7d", ",") }
	for _, tt := range []struct {
		steps []string
		want  error
		text  string
	}{
		{nil, nil, ""},
		{[]string{}, nil, ""},
		{steps(19), nil, ""},
		{steps(20), ErrTooManySteps, "want at most 20 steps"},
		{[]string{"5s", "999ms"}, ErrStep, "[1]: want a step of 1s to 7d"},
		{[]string{"8d"}, ErrStep, "[0]: "},
		{[]string{"5s", "5m", "soon"}, ErrDuration, "[2]: "},
	} {
		_, err := ParseSchedule(tt.steps)
		if !errors.Is(err, tt.want) || err != nil && !strings.HasPrefix(err.Error(), tt.text) {
			t.Errorf("ParseSchedule(%d steps) = %v, want %v", len(tt.steps), err, tt.want)
		}
	}
}

func TestAttemptsFollowTheSchedule(t *testing.T) {
	schedule := DefaultSchedule()
	for _, tt := range []struct {
		attempts   int
		retryAfter time.Duration
		least      time.Duration
		most       time.Duration
		again      bool
	}{
		{0, 0, 0, 0, false}, // nothing has failed yet
		{1, 0, 4500 * time.Millisecond, 5500 * time.Millisecond, true},
		{1, time.Second, 4500 * time.Millisecond, 5500 * time.Millisecond, true}, // the step is later
		{1, time.Minute, time.Minute, time.Minute, true},                         // the subscriber's wish is later
		{1, 48 * time.Hour, 24 * time.Hour, 24 * time.Hour, true},                // no wish beyond a day
		{2, 0, 270 * time.Second, 330 * time.Second, true},
		{9, 0, 1296 * time.Minute, 1584 * time.Minute, true},
		{10, 0, 0, 0, false},         // schedule spent
		{10, time.Hour, 0, 0, false}, // wishing makes no further attempt
		{-1, 0, 0, 0, false},
		{math.MaxInt, 0, 0, 0, false},
	} {
		wait, again := schedule.After(tt.attempts, "dlv_0123", tt.retryAfter)
		if wait < tt.least || wait > tt.most || again != tt.again {
			t.Errorf("After(%d, %v) = %v, %v, want %v to %v, %v", tt.attempts, tt.retryAfter, wait, again, tt.least, tt.most, tt.again)
		}
	}
	if wait, again := (Schedule{}).After(1, "dlv_0123", 0); wait != 0 || again {
		t.Errorf("After on the empty schedule = %v, %v, want no second attempt", wait, again)
	}
}

func TestJitterIsAFunctionOfDeliveryAndStep(t *testing.T) {
	if a, b := Jitter(time.Hour, "dlv_1", 3), Jitter(time.Hour, "dlv_1", 3); a != b {
		t.Errorf("the same step of the same delivery waits %v and %v", a, b)
	}
	if a := Jitter(time.Hour, "dlv_1", 4); a == Jitter(time.Hour, "dlv_1", 3) {
		t.Errorf("two steps of one delivery both wait %v", a)
	}
	// These three values are stored nowhere, but a release must not change them:
	// a delivery decided before it and after it would be sent at two times.
	for i, want := range jitters {
		if got := Jitter(time.Hour, fmt.Sprintf("dlv_%d", i), i+1); got != want {
			t.Errorf("Jitter of dlv_%d = %v, want %v", i, got, want)
		}
	}
}

var jitters = []time.Duration{3834269 * time.Millisecond, 3421573 * time.Millisecond, 3490690 * time.Millisecond}

func TestJitterSpreadsEvenly(t *testing.T) {
	const deliveries, bins = 10_000, 20
	var count [bins]int
	for i := range deliveries {
		wait := Jitter(time.Hour, fmt.Sprintf("dlv_%032d", i), 1)
		if wait < 54*time.Minute || wait > 66*time.Minute {
			t.Fatalf("Jitter = %v, want 54m to 66m", wait)
		}
		count[min(int((wait-54*time.Minute)*bins/(12*time.Minute)), bins-1)]++
	}
	for bin, n := range count {
		if n < deliveries/bins*3/4 || n > deliveries/bins*5/4 {
			t.Errorf("slice %d of the jitter holds %d deliveries, want about %d", bin, n, deliveries/bins)
		}
	}
}

func TestJitterStaysWithinTenPercentOfAnyStep(t *testing.T) {
	for _, step := range []time.Duration{MinStep, 7 * time.Second, Day, MaxStep} {
		for number := range 2000 {
			if got := Jitter(step, "dlv_x", number); got < step*9/10-time.Millisecond || got > step*11/10 {
				t.Fatalf("Jitter(%v) = %v, want within 10 %%", step, got)
			}
		}
	}
}

func BenchmarkAfter(b *testing.B) {
	schedule := DefaultSchedule()
	b.ReportAllocs()
	for b.Loop() {
		schedule.After(3, "dlv_0123456789abcdefghijklmnopqrstuv", 0)
	}
}
