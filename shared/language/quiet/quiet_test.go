package quiet_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/quiet"
	"github.com/postino/postino/shared/language/strictjson"
)

func hours(t *testing.T, text string) *quiet.Hours {
	t.Helper()
	h, err := quiet.Read(strictjson.Value(text), "quiet")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestQuietTimeIsRightByTheMinuteWhenClocksChange compares with a clock on the wall
// that is looked at each minute, over both changes of two zones, for nights that
// begin or end in the hour that is left out or comes twice.
func TestQuietTimeIsRightByTheMinuteWhenClocksChange(t *testing.T) {
	for _, tt := range []struct {
		zone string
		days []string
	}{
		{"Europe/Rome", []string{"2026-03-28", "2026-10-24"}},
		{"America/New_York", []string{"2026-03-07", "2026-10-31"}},
	} {
		zone, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, day := range tt.days {
			begin, err := time.ParseInLocation(time.DateOnly, day, zone)
			if err != nil {
				t.Fatal(err)
			}
			for _, night := range [][2]string{
				{"21:00", "09:00"}, {"22:30", "02:30"}, {"02:30", "09:00"}, {"01:15", "01:45"}, {"00:30", "01:30"}, {"02:00", "03:00"}, {"09:00", "02:00"},
			} {
				h := hours(t, fmt.Sprintf(`{"from":%q,"to":%q,"zone":%q}`, night[0], night[1], tt.zone))
				compare(t, h, zone, begin, night)
			}
		}
	}
}

// compare looks at the clock in each minute of three days.
func compare(t *testing.T, h *quiet.Hours, zone *time.Location, begin time.Time, night [2]string) {
	t.Helper()
	const minutes = 3 * 24 * 60
	onWall := func(at time.Time) bool {
		shows := at.In(zone).Format("15:04")
		if night[0] < night[1] {
			return night[0] <= shows && shows < night[1]
		}
		return night[0] <= shows || shows < night[1]
	}
	end := time.Time{} // of the quiet time that begins later, looked at backwards
	for i := minutes; i >= 0; i-- {
		at := begin.Add(time.Duration(i) * time.Minute)
		isQuiet := onWall(at)
		if got := h.At(at, zone); got != isQuiet {
			t.Fatalf("%s at %s: quiet %t, want %t", night, at, got, isQuiet)
		}
		if !isQuiet {
			end = at
			continue
		}
		if end.IsZero() {
			continue // the end lies beyond
		}
		for _, later := range []time.Duration{0, time.Second, 59*time.Second + 999*time.Millisecond} {
			if got := h.End(at.Add(later), zone); !got.Equal(end) {
				t.Fatalf("%s at %s: ends at %s, want %s", night, at.Add(later), got.In(zone), end.In(zone))
			}
		}
	}
}

func TestTheZoneIsThatOfTheProfileOrTheEvent(t *testing.T) {
	event, err := pattern.Decode(pattern.Envelope{Data: json.RawMessage(`{"zone":"Asia/Tokyo"}`)})
	if err != nil {
		t.Fatal(err)
	}
	profile := json.RawMessage(`{"tz":"America/New_York","wrong":"Europe/Rom"}`)
	for _, tt := range []struct{ quiet, want string }{
		{`{"from":"21:00","to":"09:00"}`, "UTC"},
		{`{"from":"21:00","to":"09:00","default_zone":"Europe/Rome"}`, "Europe/Rome"},
		{`{"from":"21:00","to":"09:00","zone":"Asia/Tokyo","default_zone":"Europe/Rome"}`, "Asia/Tokyo"},
		{`{"from":"21:00","to":"09:00","zone":"profile.tz","default_zone":"Europe/Rome"}`, "America/New_York"},
		{`{"from":"21:00","to":"09:00","zone":"data.zone"}`, "Asia/Tokyo"},
		{`{"from":"21:00","to":"09:00","zone":"profile.home.none","default_zone":"Europe/Rome"}`, "Europe/Rome"},
		{`{"from":"21:00","to":"09:00","zone":"profile.wrong","default_zone":"Europe/Rome"}`, "Europe/Rome"},
	} {
		got := hours(t, tt.quiet).ZoneOf(event, profile)
		if got.String() != tt.want {
			t.Errorf("%s: zone %s, want %s", tt.quiet, got, tt.want)
		}
	}
}

func TestBadQuietHoursAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		`5`:                             `quiet: want an object like {"from": "21:00", "to": "09:00", "zone": "Europe/Rome"}`,
		`{"from":"21:00"}`:              `quiet.to: required: a time of the day like "21:00"`,
		`{"from":"9:00","to":"10:00"}`:  `quiet.from: want a time of the day from "00:00" to "23:59"`,
		`{"from":"24:00","to":"10:00"}`: `quiet.from: want a time of the day from "00:00" to "23:59"`,
		`{"from":"21:00","to":"21:00"}`: `quiet.to: is the same as from: want another time of the day`,
		`{"from":"21:00","to":"09:00","zone":"Europe/Rom"}`:         `quiet.zone: there is no time zone "Europe/Rom": want the name of a time zone like "Europe/Rome", or a path like profile.tz`,
		`{"from":"21:00","to":"09:00","default_zone":"profile.tz"}`: `quiet.default_zone: there is no time zone "profile.tz": want a name like "Europe/Rome" or "UTC"`,
		`{"from":"21:00","to":"09:00","then":"drop"}`:               `quiet.then: want "wait" or "skip"`,
		`{"from":"21:00","to":"09:00","zome":"UTC"}`:                `quiet.zome: unknown field; did you mean "zone"?`,
		`{"from":"21:00","to":"09:00","zone":"Local"}`:              `quiet.zone: there is no time zone "Local": want the name of a time zone like "Europe/Rome", or a path like profile.tz`,
	} {
		_, err := quiet.Read(strictjson.Value(text), "quiet")
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
