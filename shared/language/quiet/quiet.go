// Package quiet knows hours in which nobody wants to be disturbed, by the clock on
// the wall of whoever it is: also on the days on which that clock is changed.
//
// It is quiet whenever that clock shows a time from the beginning, included, to the
// end, excluded. So a night is an hour shorter in spring, and an hour longer in
// autumn. An end that the clock leaves out is when it is put forward. An hour that
// it shows twice is quiet both times.
package quiet

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // zones are known also where the system has none

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/language/suggest"
)

// Hours are quiet hours of every day. They are safe for concurrent use.
type Hours struct {
	from, to int            // minutes since midnight
	zone     *time.Location // nil if it is read at path
	path     pattern.Path   // where an event, or the profile of its subject, has the name of its zone
	fallback *time.Location // for an event that has none
	profile  bool           // the path is in the profile
	skip     bool
}

// The fields of quiet hours.
var fields = []string{"from", "to", "zone", "default_zone", "then"}

// Read reads {"from","to",["zone","default_zone","then"]}, of which field is the
// name. Its error is [pattern.Errors].
func Read(v strictjson.Value, field string) (*Hours, error) {
	r := &reader{field: field}
	h := r.hours(v)
	if len(r.errs) > 0 {
		return nil, r.errs
	}
	return h, nil
}

// reader notes what is wrong.
type reader struct {
	field string
	errs  pattern.Errors
}

func (r *reader) fault(name, format string, args ...any) {
	r.errs = append(r.errs, &pattern.Error{Field: r.field + name, Detail: fmt.Sprintf(format, args...)})
}

func (r *reader) hours(v strictjson.Value) *Hours {
	if v.Kind() != strictjson.Object {
		r.fault("", `want an object like {"from": "21:00", "to": "09:00", "zone": "Europe/Rome"}`)
		return nil
	}
	h, given := &Hours{from: -1, to: -1, fallback: time.UTC}, map[string]string{}
	for name, member := range v.Members() {
		text, isText := member.Text()
		switch {
		case member.Kind() == strictjson.Null:
		case !contains(name):
			r.fault("."+strictjson.Clip(name, 100), "unknown field%s", suggest.Hint(name, fields))
		case !isText:
			r.fault("."+name, "want a string")
		default:
			given[name] = text
		}
	}
	h.from, h.to = r.minute("from", given), r.minute("to", given)
	if h.from == h.to && h.from >= 0 {
		r.fault(".to", "is the same as from: want another time of the day")
	}
	r.zones(h, given)
	switch given["then"] {
	case "", "wait":
	case "skip":
		h.skip = true
	default:
		r.fault(".then", `want "wait" or "skip"`)
	}
	return h
}

func contains(name string) bool {
	for _, f := range fields {
		if f == name {
			return true
		}
	}
	return false
}

// minute reads a time of the day.
func (r *reader) minute(name string, given map[string]string) int {
	text, ok := given[name]
	if !ok {
		r.fault("."+name, `required: a time of the day like "21:00"`)
		return -1
	}
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		r.fault("."+name, `want a time of the day from "00:00" to "23:59"`)
		return -1
	}
	return t.Hour()*60 + t.Minute()
}

// zones reads where the clock is.
func (r *reader) zones(h *Hours, given map[string]string) {
	if text, ok := given["default_zone"]; ok {
		if h.fallback = zoneOf(text); h.fallback == nil {
			r.fault(".default_zone", `there is no time zone %q: want a name like "Europe/Rome" or "UTC"`, strictjson.Clip(text, 100))
		}
	}
	text, ok := given["zone"]
	if !ok {
		h.zone = h.fallback
		return
	}
	if h.zone = zoneOf(text); h.zone != nil {
		return
	}
	const wanted = `want the name of a time zone like "Europe/Rome", or a path like profile.tz`
	root, _, deep := strings.Cut(text, ".")
	path, err := pattern.ParsePath("data"+strings.TrimPrefix(text, root), r.field+".zone") // a profile is looked up as data
	switch {
	case deep && root == "profile" && err == nil:
		h.profile = true
	case deep && root == "data" && err == nil:
	default:
		r.fault(".zone", "there is no time zone %q: "+wanted, strictjson.Clip(text, 100))
		return
	}
	h.path = path
}

// zoneOf returns a zone by its name; nil if there is none. "Local" is whatever the
// machine has, so it is none.
func zoneOf(name string) *time.Location {
	if name == "" || name == "Local" {
		return nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return zone
}

// ReadsProfile reports whether the zone is in the profile of the event's subject.
func (h *Hours) ReadsProfile() bool { return h != nil && h.profile }

// Skips reports whether what falls into quiet hours is skipped, not put off.
func (h *Hours) Skips() bool { return h.skip }

// ZoneOf returns the zone for an event, given as it is decoded and with the
// attributes of its subject's profile.
func (h *Hours) ZoneOf(event *pattern.Event, profile json.RawMessage) *time.Location {
	if h.zone != nil {
		return h.zone
	}
	if h.profile {
		var err error
		if event, err = pattern.Decode(pattern.Envelope{Data: profile}); err != nil || len(profile) == 0 {
			return h.fallback
		}
	}
	if v, ok := event.Lookup(h.path); ok && v.Kind == pattern.String {
		if zone := zoneOf(v.Text); zone != nil {
			return zone
		}
	}
	return h.fallback
}

// At reports whether it is quiet at a time.
func (h *Hours) At(t time.Time, zone *time.Location) bool {
	now := t.In(zone)
	minute := now.Hour()*60 + now.Minute()
	if h.from < h.to {
		return h.from <= minute && minute < h.to
	}
	return minute >= h.from || minute < h.to
}

// End returns when it is quiet no more, at first after a time at which it is: t
// itself if it is not.
func (h *Hours) End(t time.Time, zone *time.Location) time.Time {
	const day = 24 * time.Hour
	for h.At(t, zone) {
		now := t.In(zone)
		passed := time.Duration(now.Hour())*time.Hour + time.Duration(now.Minute())*time.Minute +
			time.Duration(now.Second())*time.Second + time.Duration(now.Nanosecond())
		end := t.Add((time.Duration(h.to)*time.Minute - passed + day) % day)
		_, change := now.ZoneBounds() // until when the clock goes on as it does
		if change.IsZero() || end.Before(change) {
			return end.UTC()
		}
		t = change
	}
	return t.UTC()
}
