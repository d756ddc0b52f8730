package pattern

import (
	"fmt"
	"strings"
)

// Roots are the names that a pattern may begin with, and whether what has the name is one string, or a list of
// strings, and so has no parts.
type Roots map[string]bool

// What patterns can be about.
var (
	// WithProfile is for the filters of subscriptions: the event; the profile of its subject, as profile; and the
	// segments that the subject is in, as segment.
	WithProfile = with(ofEvents, Roots{"profile": false, "segment": true})
	// OfProfiles is for segments: the profile, and the subject that it is of.
	OfProfiles = Roots{"profile": false, "subject": true}
	// OfAudience is for audiences of campaigns: the same, and the segments that the subject is in.
	OfAudience = with(OfProfiles, Roots{"segment": true})
)

func with(some, more Roots) Roots {
	all := Roots{}
	for _, roots := range []Roots{some, more} {
		for name, text := range roots {
			all[name] = text
		}
	}
	return all
}

// fault says what is wrong with a root, "" if nothing is.
func (r Roots) fault(name string) string {
	_, event := r["data"]
	switch _, ok := r[name]; {
	case ok:
		return ""
	case !event:
		return fmt.Sprintf("a profile has no %q: want profile, such as {\"profile\": {\"plan\": [\"gold\"]}}, or subject", name)
	case name == "detail-type":
		return `an event has no "detail-type": use type`
	case name == "profile" || name == "segment":
		return fmt.Sprintf("%q cannot be asked for here: use one of id, source, type, subject, time, data, extensions", name)
	}
	return fmt.Sprintf("an event has no %q: use data for its payload, or one of id, source, type, subject, time, extensions", name)
}

// OfEvent returns what a pattern wants of the event alone, nil for nothing, and whether it wants something of the
// profile or the segments beside that. Each event that meets the pattern meets what it wants of the event.
func (p *Pattern) OfEvent() (event *Pattern, asks bool) {
	event = &Pattern{weight: p.weight}
	every := false
	for _, b := range p.branches {
		var fields []field
		for _, f := range b.fields {
			root, _, _ := strings.Cut(f.path, ".")
			if _, ok := ofEvents[root]; ok {
				fields = append(fields, f)
			}
		}
		asks = asks || len(fields) < len(b.fields)
		every = every || len(fields) == 0
		event.branches = append(event.branches, newBranch(fields))
	}
	switch {
	case !asks:
		return p, false
	case every:
		return nil, true
	}
	return event, true
}
