package retry

import (
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 23, 14, 50, 0, 0, time.UTC)

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	for _, tt := range []struct {
		header string
		want   time.Duration
		ok     bool
	}{
		{"120", 2 * time.Minute, true},
		{" 120\t", 2 * time.Minute, true},
		{"0", 0, true},
		{"007", 7 * time.Second, true},
		{"86400", Day, true},
		{"86401", Day, true},
		{"99999999999999999999", Day, true},
		{"Mon, 23 Nov 2026 14:51:00 GMT", time.Minute, true},
		{"Monday, 23-Nov-26 14:51:00 GMT", time.Minute, true},
		{"Mon Nov 23 14:51:00 2026", time.Minute, true},
		{"Mon, 23 Nov 2026 14:49:00 GMT", 0, true}, // gone by
		{"Fri, 31 Dec 9999 23:59:59 GMT", Day, true},
		{"", 0, false},
		{"-5", 0, false},
		{"1.5", 0, false},
		{"soon", 0, false},
		{"120, 240", 0, false},
		{"2026-11-23T14:51:00Z", 0, false},
		{strings.Repeat("9", 65), 0, false},
	} {
		if got, ok := ParseRetryAfter(tt.header, now); got != tt.want || ok != tt.ok {
			t.Errorf("ParseRetryAfter(%q) = %v, %v, want %v, %v", tt.header, got, ok, tt.want, tt.ok)
		}
	}
}

func TestOnly429And503CanAskToWait(t *testing.T) {
	for _, tt := range []struct {
		status int
		want   time.Duration
	}{{429, time.Minute}, {503, time.Minute}, {200, 0}, {301, 0}, {500, 0}, {0, 0}} {
		if got := RetryAfter(tt.status, "60", now); got != tt.want {
			t.Errorf("RetryAfter(%d) = %v, want %v", tt.status, got, tt.want)
		}
	}
}

func FuzzParseRetryAfter(f *testing.F) {
	for _, seed := range []string{"120", "", "Mon, 23 Nov 2026 14:51:00 GMT", "99999999999999999999", "Mon Nov 23 14:51:00 2026", "-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		wait, ok := ParseRetryAfter(header, now)
		if wait < 0 || wait > MaxRetryAfter || !ok && wait != 0 {
			t.Fatalf("ParseRetryAfter(%q) = %v, %v", header, wait, ok)
		}
	})
}
