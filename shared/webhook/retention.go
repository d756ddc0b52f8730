package webhook

import (
	"errors"
	"time"
)

const day = 24 * time.Hour

// Retention says how long is kept what nothing waits for any more. Times count
// by our clock.
type Retention struct {
	All     time.Duration // deliveries from their end, events from their acceptance and as long as one of their deliveries is kept
	Payload time.Duration // events' data, from acceptance; bodies and answers, from their delivery's end
	Once    time.Duration // what a trigger is to hold for ever, from when it was last touched
}

// The bounds of a [Retention]. Queues and waiting lines hold what is younger
// than MinRetention; a claim must outlive every message that may come again.
const (
	MinRetention = 15 * day
	MaxRetention = 365 * day
	MinOnce      = 45 * day
	MaxOnce      = 3650 * day
)

// DefaultRetention is a month for everything, and more than a year for what
// triggers hold for ever.
var DefaultRetention = Retention{All: 30 * day, Payload: 30 * day, Once: 400 * day}

// Check tells what is wrong with r; nil if nothing is.
func (r Retention) Check() error {
	switch {
	case r.All < MinRetention || r.All > MaxRetention:
		return errors.New("retention: want 15d to 365d")
	case r.Payload < day || r.Payload > r.All:
		return errors.New("payload retention: want 1d to the retention")
	case r.Once < MinOnce || r.Once > MaxOnce:
		return errors.New("once retention: want 45d to 3650d")
	}
	return nil
}
