package webhook

import "time"

// Health says how a subscription's newest version fails. The zero value is a
// healthy subscription. Health is part of the subscription's head, so every read
// of the head has it. Each new version starts healthy.
type Health struct {
	FailingSince time.Time `json:"failing_since,omitzero"` // the first failure since the last success; zero if healthy
	FailedAt     time.Time `json:"failed_at,omitzero"`     // the newest failure, or one shortly before
	Breaker      Breaker   `json:"breaker,omitzero"`
	Rev          int64     `json:"rev"` // store's count of writes; 0 means not stored
}

// Breaker is a circuit breaker: it stops the deliveries of a subscription if
// nearly all fail. The zero value is closed: deliveries are sent.
type Breaker struct {
	Since   time.Time `json:"since,omitzero"`    // when it opened; zero means closed
	Probes  int       `json:"probes,omitempty"`  // probes claimed since then
	Passed  int       `json:"passed,omitempty"`  // successful probes since the last failed one
	ProbeAt time.Time `json:"probe_at,omitzero"` // when the next may be claimed
}

// Open reports whether deliveries are stopped.
func (b Breaker) Open() bool { return !b.Since.IsZero() }

// Tally counts the attempts to a subscriber within a window of time.
type Tally struct {
	Attempts int
	Failed   int // failed ones
}
