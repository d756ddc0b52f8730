package retry

import (
	"errors"
	"regexp"
	"testing"
	"time"
)

func TestDurationsAreReadAsTheContractSays(t *testing.T) {
	for _, tt := range []struct {
		text string
		want time.Duration
	}{
		{"1ms", time.Millisecond},
		{"500ms", 500 * time.Millisecond},
		{"5s", 5 * time.Second},
		{"30m", 30 * time.Minute},
		{"24h", Day},
		{"1d", Day},
		{"7d", 7 * Day},
		{"106751d", 106751 * Day},
		{"9223372036s", 9223372036 * time.Second},
	} {
		if got, err := ParseDuration(tt.text); got != tt.want || err != nil {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", tt.text, got, err, tt.want)
		}
	}
}

func TestOtherSpellingsAreNoDurations(t *testing.T) {
	for _, text := range []string{
		"", "s", "ms", "5", "0s", "05s", "-5s", "+5s", " 5s", "5s ", "5s\n", "5 s", "5S", "1.5h", "1h30m", "5us", "5ns", "5w", "٥s",
		"1_000s", "0x5s", "106752d", "9223372037s", "99999999999999999999s", "5mms",
	} {
		if got, err := ParseDuration(text); got != 0 || !errors.Is(err, ErrDuration) {
			t.Errorf("ParseDuration(%q) = %v, %v, want ErrDuration", text, got, err)
		}
	}
}

func TestDurationsAreWrittenInTheLargestUnit(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0s"},
		{-time.Second, "0s"},
		{time.Microsecond, "0s"},
		{1500*time.Millisecond + time.Microsecond, "1500ms"},
		{90 * time.Second, "90s"},
		{2 * time.Hour, "2h"},
		{Day, "24h"},
		{36 * time.Hour, "36h"},
		{2 * Day, "2d"},
	} {
		if got := FormatDuration(tt.d); got != tt.want {
			t.Errorf("FormatDuration(%v) = %s, want %s", tt.d, got, tt.want)
		}
	}
}

var contract = regexp.MustCompile(`^[1-9][0-9]*(ms|s|m|h|d)$`)

func FuzzParseDuration(f *testing.F) {
	for _, seed := range []string{"5s", "500ms", "0s", "106752d", "1h30m", "", "9223372036854775807ms"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDuration(text)
		if err != nil {
			if len(text) < 7 && contract.MatchString(text) {
				t.Fatalf("%q is a duration, but: %v", text, err)
			}
			return
		}
		if !contract.MatchString(text) || d < time.Millisecond {
			t.Fatalf("%q is no duration, but was read as %v", text, d)
		}
		if again, err := ParseDuration(FormatDuration(d)); err != nil || again != d {
			t.Fatalf("%q was written as %s and read back as %v, %v", text, FormatDuration(d), again, err)
		}
	})
}
