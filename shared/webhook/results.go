package webhook

import "time"

// ResultsOf names what results are about: a campaign, or one of its subscriptions.
type ResultsOf struct {
	Tenant       string
	Campaign     string // "" for a subscription
	Subscription string
}

// Results is what was counted of a campaign in one hour, or on one day.
type Results struct {
	Of     ResultsOf
	At     time.Time        // its beginning, UTC
	Counts map[string]int64 // by name, [a-z0-9_]+; see package results
}

// Sketch is how many different people something happened to on one day, about.
type Sketch struct {
	Of       ResultsOf
	Day      time.Time // its beginning, UTC
	Kind     string    // see package results
	Data     []byte    // at most 8 KiB
	Revision int64     // count of writes; 0 if nothing is stored
}

// The names of the counts of results.
const (
	ResultMatched       = "matched"   // events whose type and filter match a subscription
	ResultSkipped       = "skipped_"  // and a reason
	ResultHeldOut       = "held_out"  // claimed as if sent
	ResultWaiting       = "waiting"   // for a delay or for quiet hours: how many more than before
	ResultSent          = "sent"      // deliveries
	ResultSucceeded     = "succeeded" // of these
	ResultExhausted     = "exhausted"
	ResultConverted     = "converted"      // of those sent
	ResultConvertedHeld = "converted_held" // of those held out
	ResultValue         = "value"          // of conversions of those sent, in millionths
	ResultValueHeld     = "value_held"     // of those held out
)
