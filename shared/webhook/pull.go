package webhook

import "time"

// Offer is a delivery that may be pulled, or that somebody has pulled and holds
// under a lease. Only the first pull gets it: an offer whose lease has ended is a
// failed attempt, and the retry is another offer.
type Offer struct {
	Tenant       string
	Subscription string
	Delivery     string
	Round, Step  int    // the attempt of the schedule that it is
	Manual       bool   // it is beside the schedule: somebody asked for it
	Lease        string // token of who holds it; "" for nobody
	LeasedAt     time.Time
	Until        time.Time // when the lease ends
}

// Ref names the offer's subscription.
func (o Offer) Ref() SubscriptionRef { return SubscriptionRef{o.Tenant, o.Subscription} }

// Pull is what somebody who pulls asks for.
type Pull struct {
	Max   int           // deliveries at most
	Lease time.Duration // how long they are held
}

// The bounds of a [Pull].
const (
	MaxPull     = 100
	MinLease    = time.Second
	MaxLease    = 10 * time.Minute // less than a queue delays
	MaxPullWait = 20 * time.Second
	MaxOffers   = 2000     // of a subscription that one pull looks at: no more can be held at a time
	MaxPulled   = 4 << 20  // bytes of an answer, about: Lambda takes 6 MB
	MaxReported = 100      // reports of one request
	MaxSaid     = 64 << 10 // bytes of an answer that is reported
)

// Pulled is a delivery that was pulled: its request as it would be posted.
type Pulled struct {
	Delivery string
	Event    string
	Attempt  int
	Lease    string // token that a [Report] names
	Until    time.Time
	Method   string
	Headers  map[string]string
	Body     string
}

// Report says how it went with a delivery that was pulled.
type Report struct {
	Delivery   string
	Lease      string
	Failed     bool              // a nack without a status
	Status     int               // that the receiver answered; 0 for none
	Headers    map[string]string // of that answer
	Body       string            // of that answer
	Error      ErrorClass        // why there was no answer
	Detail     string            // the same as text
	Took       time.Duration     // of the receiver; 0 means since it was pulled
	RetryAfter time.Duration     // least wait before the next attempt; 0 leaves it to the schedule
}

// Reported is what became of a report.
type Reported struct {
	Delivery string
	Recorded bool   // false if the lease had ended
	Status   Status // of the delivery by then; "" if it is not known
}
