package webhook

import "time"

// Stats is what was counted of a subscription's deliveries in one hour.
type Stats struct {
	Tenant       string
	Subscription string           // "" for the tenant as a whole
	Hour         time.Time        // its beginning, UTC
	Counts       map[string]int64 // by name, [a-z0-9_]+; see package stats
}
