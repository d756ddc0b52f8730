package liquid

import (
	"sync"
	"time"
	_ "time/tzdata" // zones are known also where the system has none
)

var dateFilters = []filter{
	{"date", 1, 2, "", formatDate},
	{"time_zone", 1, 1, "", inTimeZone},
}

// zoneArgument is which argument of a filter names a time zone.
var zoneArgument = map[string]int{"date": 1, "time_zone": 0}

// when reads a date.
func (r *run) when(in Value) (when time.Time, ok bool) {
	switch in.kind {
	case kindInt:
		return unixTime(in.num)
	case kindString:
		return parseDate(in.str, r.now)
	}
	return when, false
}

// formatDate leaves what is no date as it is. With a time zone it prints what clocks
// show there.
func formatDate(r *run, in Value, args []Value) (Value, error) {
	format, err := r.string(args[0])
	if err != nil || format == "" {
		return in, err
	}
	when, ok := r.when(in)
	if !ok {
		return in, nil
	}
	if len(args) > 1 {
		if when, err = r.moved(when, args[1]); err != nil {
			return Null, err
		}
	}
	text, err := r.strftime(when, format)
	return String(text), err
}

// inTimeZone writes a date as a time with the offset that a time zone has then. It
// leaves what is no date as it is.
func inTimeZone(r *run, in Value, args []Value) (Value, error) {
	when, ok := r.when(in)
	if !ok {
		return in, nil
	}
	when, err := r.moved(when, args[0])
	if err != nil {
		return Null, err
	}
	if err := r.make(len(time.RFC3339Nano)); err != nil {
		return Null, err
	}
	return String(when.Format(time.RFC3339Nano)), nil
}

// moved is the same moment in a zone; without one, as it is.
func (r *run) moved(when time.Time, zone Value) (time.Time, error) {
	name, err := r.string(zone)
	if err != nil || name == "" {
		return when, err
	}
	if err := r.make(zoneCost); err != nil {
		return when, err
	}
	location := zoneOf(name)
	if location == nil {
		return when, &quoting{wrongZone(name), "there is no such time zone: " + wantedZone}
	}
	return when.In(location), nil
}

// zoneCost is what it takes to look up a zone, in bytes.
const zoneCost = 4 << 10

const wantedZone = `want a name such as "Europe/Rome"`

func wrongZone(name string) string {
	if len(name) > maxDate {
		name = name[:maxDate]
	}
	return "there is no time zone " + quote(name) + ": " + wantedZone
}

// timeZones keeps those that were found, of which there are some hundreds.
var timeZones sync.Map

// zoneOf returns a zone by its name; nil if there is none. "Local" is whatever the
// machine has, so it is none.
func zoneOf(name string) *time.Location {
	if known, ok := timeZones.Load(name); ok {
		return known.(*time.Location)
	}
	if name == "" || name == "Local" || len(name) > maxDate {
		return nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	timeZones.Store(name, zone)
	return zone
}
