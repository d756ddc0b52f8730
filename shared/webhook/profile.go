package webhook

import (
	"encoding/json"
	"time"
)

// Profile is what is known of a subject: of a user, as a rule. It never expires.
type Profile struct {
	Tenant     string
	Subject    string
	Attributes json.RawMessage // written by hand: one compact JSON object; nil means none
	Computed   json.RawMessage // follows from events: see package people; nil means nothing
	Revision   int64           // count of writes; 0 if nothing is stored
	UpdatedAt  time.Time
}

// ProfileShares is the number of shares of about the same size that profiles are in,
// by their subjects.
const ProfileShares = 16

// AttributeRule says how an attribute of profiles follows from events.
type AttributeRule struct {
	Tenant     string
	Name       string          // of the attribute
	Spec       json.RawMessage // as package people reads it
	Generation string          // what was computed for another generation does not count
	Kept       bool            // the rule was deleted, and what it computed stays as it is
	UpdatedAt  time.Time
}

// Segment is a condition on profiles with a name.
type Segment struct {
	Tenant    string
	ID        string
	Name      string
	Filter    json.RawMessage // a pattern with the root profile
	UpdatedAt time.Time
}
