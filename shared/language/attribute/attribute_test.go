package attribute_test

import (
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/language/attribute"
)

func TestAttributesAreCheckedAsDocumented(t *testing.T) {
	long := strings.Repeat("é", 128)
	for _, tt := range []struct {
		name  string
		check func(string) string
		good  []string
		bad   []string
	}{
		{"type", attribute.Type, []string{"a", "flight.booked", "com.github/x:y", "postino", "Größe", "Order Completed", "EC2 Instance State-change Notification", long}, []string{"", " ", " a", "a ", "a\u00a0b", "a\u3000b", "a*", "postino.x", "a\n", "a\x00", "a\u2028", "a\u200b", long + "x", "\ufffd"}},
		{"type pattern", attribute.TypePattern, []string{"*", "flight.*", "flight.booked", "postino.*", "postino.delivery.failing", "Order Completed", "Order *", "Order Comp*", long + "*"}, []string{"", "a*b", "**", "a **", " *", " a*", "a ", long + "x*"}},
		{"id", attribute.ID, []string{"1", "a b", "../../..", "日本", strings.Repeat("x", 256)}, []string{"", " a", "a ", "a\tb", "a\x7f", strings.Repeat("x", 257)}},
		{"source", attribute.Source, []string{"/a", "urn:x:y", "https://a.example/b?c#d", "a"}, []string{"", "postino", "a b", "http://[::1", "%zz", strings.Repeat("x", 513)}},
		{"subject", attribute.Subject, []string{"u1", "a b", "日本"}, []string{"", "a\nb", strings.Repeat("x", 513)}},
	} {
		for _, s := range tt.good {
			if wrong := tt.check(s); wrong != "" {
				t.Errorf("%s %.40q is refused: %s", tt.name, s, wrong)
			}
		}
		for _, s := range tt.bad {
			if tt.check(s) == "" {
				t.Errorf("%s %.40q is taken", tt.name, s)
			}
		}
	}
}

func TestTimeLiesBetween1970AndFiveMinutesAhead(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-03-01T12:05:00Z":           "2026-03-01T12:05:00Z",
		"2026-03-01T14:00:00+02:00":      "2026-03-01T12:00:00Z",
		"2026-03-01T11:00:00.123456789Z": "2026-03-01T11:00:00.123456789Z",
		"1970-01-01T00:00:00Z":           "1970-01-01T00:00:00Z",
		"2026-03-01T12:05:00.001Z":       "",
		"0000-01-01T00:00:00+14:00":      "",
		"1969-12-31T23:59:59Z":           "",
		"9999-12-31T23:59:59-12:00":      "",
		"2026-03-01t14:00:00+02:00":      "2026-03-01T12:00:00Z",
		"2026-02-28T23:59:60z":           "2026-03-01T00:00:00Z",
		"2026-03-01T12:00:00+24:00":      "",
		"2026-03-01":                     "",
		"2026-03-01T1:00:00Z":            "",
		"2026-02-30T01:00:00Z":           "",
		"1772366400":                     "",
		"":                               "",
	} {
		got, wrong := attribute.Time(text, now)
		if (wrong == "") != (want != "") || want != "" && got.Format(time.RFC3339Nano) != want {
			t.Errorf("Time(%q) = %v, %q, want %q", text, got, wrong, want)
		}
	}
}
