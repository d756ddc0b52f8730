package webhook

import "time"

// Health is how a subscription's newest version does, as far as it does badly:
// the zero value is a subscription of which all is well. It stands in the
// subscription's head, so that whoever reads that knows it too, and begins
// afresh with each version.
type Health struct {
	FailingSince time.Time `json:"failing_since,omitzero"` // the first of nothing but failures; zero when all is well
	FailedAt     time.Time `json:"failed_at,omitzero"`     // the newest of them, or one shortly before
	Breaker      Breaker   `json:"breaker,omitzero"`
	Rev          int64     `json:"rev"` // store's count of writes; 0 means not stored
}

// Breaker keeps deliveries from a subscriber that fails nearly all of them.
// The zero value is closed: they pass.
type Breaker struct {
	Since   time.Time `json:"since,omitzero"`    // when it opened; zero means closed
	Probes  int       `json:"probes,omitempty"`  // probes that were claimed since
	Passed  int       `json:"passed,omitempty"`  // successful ones since the last that failed
	ProbeAt time.Time `json:"probe_at,omitzero"` // when the next may be claimed
}

// Open reports whether deliveries are kept back.
func (b Breaker) Open() bool { return !b.Since.IsZero() }

// Tally counts the attempts to a subscriber within a window of time.
type Tally struct {
	Attempts int
	Failed   int // of these
}
