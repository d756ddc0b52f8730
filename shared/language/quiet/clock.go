package quiet

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/postino/postino/shared/language/pattern"
)

// Clock is a time of the day on the wall of whoever it is. It is safe for concurrent
// use.
type Clock struct{ others *Hours } // all of the day but that minute

// ReadClock reads a time of the day like "10:00", the zone of the clock as that of
// quiet hours, and the zone of those who have none, "" for UTC. Its error is
// [pattern.Errors], whose fields are local_time, zone and default_zone.
func ReadClock(at, zone, fallback string) (*Clock, error) {
	r, given := &reader{}, map[string]string{"local_time": at, "zone": zone}
	if fallback != "" {
		given["default_zone"] = fallback
	}
	h := &Hours{fallback: time.UTC}
	h.to = r.minute("local_time", given)
	h.from = (h.to + 1) % (24 * 60)
	r.zones(h, given)
	if h.zone == nil && !h.profile && len(r.errs) == 0 {
		r.fault(".zone", `want the name of a time zone like "Europe/Rome", or a path like profile.tz`)
	}
	if len(r.errs) == 0 {
		return &Clock{h}, nil
	}
	for _, e := range r.errs {
		if e.Field != "" && e.Field[0] == '.' {
			e.Field = e.Field[1:]
		}
	}
	return nil, r.errs
}

// ReadsProfile reports whether the zone is in the profile.
func (c *Clock) ReadsProfile() bool { return c.others.profile }

// Next is when the clock of whoever has these attributes first shows the time, from
// a moment on.
func (c *Clock) Next(from time.Time, attributes json.RawMessage) (time.Time, error) {
	event, err := pattern.Decode(pattern.Envelope{Data: attributes})
	if err != nil {
		return from, fmt.Errorf("decode a profile: %w", err)
	}
	zone := c.others.ZoneOf(event, attributes)
	return c.others.End(from, zone), nil
}
