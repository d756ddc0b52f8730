// Package rfc3339 reads exactly the times of RFC 3339. Package time refuses
// some of them (t, z, leap seconds) and accepts others that are not (+24:00, a
// comma, hours of one digit).
package rfc3339

import (
	"errors"
	"time"
)

// Wanted says what [Parse] takes, for people.
const Wanted = "want an RFC 3339 time, like 2026-03-01T12:00:00Z"

var errSyntax = errors.New(Wanted)

// The shortest time, and where its parts end.
const (
	shortest = "2006-01-02T15:04:05Z"
	seconds  = len("2006-01-02T15:04:")
	rest     = len("2006-01-02T15:04:05") // a fraction, and the zone
)

// Parse reads a time to the nanosecond; further digits are dropped. The second
// :60 is taken in the last minute of a day in UTC, where alone it can be, and
// is the first of the next day, as clocks count. Its error is [Wanted].
func Parse(s string) (time.Time, error) {
	if len(s) < len(shortest) || s[10]|0x20 != 't' || s[13] != ':' {
		return time.Time{}, errSyntax
	}
	zone, ok := cutZone(s[rest:])
	if !ok {
		return time.Time{}, errSyntax
	}
	second, leap := s[seconds:rest], s[seconds:rest] == "60"
	if leap {
		second = "59"
	}
	t, err := time.Parse(time.RFC3339, s[:10]+"T"+s[11:seconds]+second+zone)
	if err != nil {
		return time.Time{}, errSyntax
	}
	if !leap {
		return t, nil
	}
	if utc := t.UTC(); utc.Hour() != 23 || utc.Minute() != 59 {
		return time.Time{}, errSyntax
	}
	return t.Add(time.Second), nil
}

// cutZone judges what comes behind the seconds, and writes z as Z.
func cutZone(s string) (string, bool) {
	digits := 0
	if s[0] == '.' {
		for digits = 1; digits < len(s) && isDigit(s[digits]); digits++ {
		}
		if digits == 1 {
			return "", false
		}
	}
	fraction, zone := s[:digits], s[digits:]
	switch {
	case zone == "Z" || zone == "z":
		return fraction + "Z", true
	case len(zone) == len("+00:00") && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':':
		return s, zone[1:3] < "24" && zone[4:6] < "60" // that they are digits is package time's to say
	}
	return "", false
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
