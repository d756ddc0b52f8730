package rfc3339_test

import (
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/language/rfc3339"
)

func TestTimesAreReadAsTheStandardWritesThem(t *testing.T) {
	for text, want := range map[string]string{
		"2026-03-01T12:00:00Z":            "2026-03-01T12:00:00Z",
		"2026-03-01t12:00:00z":            "2026-03-01T12:00:00Z",
		"2026-03-01T12:00:00.5z":          "2026-03-01T12:00:00.5Z",
		"2026-03-01T12:00:00.123456789Z":  "2026-03-01T12:00:00.123456789Z",
		"2026-03-01T12:00:00.1234567891Z": "2026-03-01T12:00:00.123456789Z",
		"2026-03-01T12:00:00+23:59":       "2026-02-28T12:01:00Z",
		"2026-03-01T12:00:00-00:00":       "2026-03-01T12:00:00Z",
		"2016-12-31T23:59:60Z":            "2017-01-01T00:00:00Z",
		"2016-12-31T15:59:60.25-08:00":    "2017-01-01T00:00:00.25Z",
		"2024-02-29T00:00:00Z":            "2024-02-29T00:00:00Z",
		"0000-01-01T00:00:00Z":            "0000-01-01T00:00:00Z",
		"2016-12-31T22:59:60Z":            "", // no minute that a leap second ends
		"2016-12-31T23:59:60+01:00":       "",
		"2016-12-31T23:59:61Z":            "",
		"2026-03-01T12:00:00+24:00":       "",
		"2026-03-01T12:00:00+00:60":       "",
		"2026-03-01T12:00:00+0a:00":       "",
		"2026-03-01T12:00:00+1:00":        "",
		"2026-03-01T12:00:00+01":          "",
		"2026-03-01T12:00:00+0100":        "",
		"2026-03-01T12:00:00,5Z":          "",
		"2026-03-01T12:00:00.Z":           "",
		"2026-03-01T12:00:00.5":           "",
		"2026-03-01T12:00:00":             "",
		"2026-03-01T12:00Z":               "",
		"2026-03-01T1:00:00Z":             "",
		"2026-03-01T24:00:00Z":            "",
		"2026-03-01 12:00:00Z":            "",
		"2023-02-29T00:00:00Z":            "",
		"2026-13-01T00:00:00Z":            "",
		"2026-03-01T12:00:00Z ":           "",
		"2026-03-01T12:00:00ZZ":           "",
		"+2026-03-01T12:00:00Z":           "",
		"2026-03-01T12:00:00Zulu+":        "",
		"2026-03-01T12:00:00" + "\x00Z":   "",
		"２０２６-03-01T12:00:00Z":            "",
		strings.Repeat("9", 100):          "",
		"":                                "",
	} {
		got, err := rfc3339.Parse(text)
		if (err == nil) != (want != "") || want != "" && got.UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("Parse(%q) = %v, %v, want %q", text, got, err, want)
		}
	}
}

// FuzzParse holds that what package time writes is read as it was, and that
// what is taken is a time to package time too, but for what it does not know.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"2026-03-01T12:00:00Z", "2026-03-01t12:00:00.5+01:00", "2016-12-31T23:59:60Z", "2026-03-01T12:00:00.", "2026-03-01T12:00:00+"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := rfc3339.Parse(text)
		if err != nil {
			return
		}
		if want, err := time.Parse(time.RFC3339, strings.ToUpper(text)); err == nil && !want.Equal(got) {
			t.Errorf("Parse(%q) = %v, want %v", text, got, want)
		} else if err != nil && !strings.Contains(text, ":60") {
			t.Errorf("Parse(%q) = %v, which package time refuses: %v", text, got, err)
		}
		if again, err := rfc3339.Parse(got.Format(time.RFC3339Nano)); err == nil && !again.Equal(got) {
			t.Errorf("%v read again is %v", got, again)
		}
	})
}
