// Package breaker is a circuit breaker: it decides when to stop deliveries to a
// failing subscriber, and when to send them again.
//
// A breaker opens when nearly all of many attempts failed within a window of
// time. While it is open, what comes due waits, and from time to time one
// delivery is posted as a probe. Some probes in a row that pass close it.
package breaker

import (
	"time"

	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/webhook"
)

// Rule says when a breaker opens and how it closes.
type Rule struct {
	Window     time.Duration // in which attempts are counted; whole seconds
	Attempts   int           // fewest within a window that tell anything
	Percent    int           // of them that must have failed
	FirstProbe time.Duration // from its opening to the first probe
	LastProbe  time.Duration // the longest between two probes: each that fails doubles the wait
	Passes     int           // probes in a row that must pass
}

// Default is the rule unless a test has another.
//
// Twenty failures within half a minute are more than the retries of a handful
// of deliveries ever make, and no more than a subscriber that is down can bear;
// below them the schedule's own back-off is all that is needed. Nine in ten,
// because a subscriber that accepts something is better served by trying. The
// first probe comes after most restarts are over. Five minutes between probes
// is what a recovery may take to be noticed, and costs nothing. Three passes,
// so that one lucky answer does not let everything loose.
var Default = Rule{
	Window: 30 * time.Second, Attempts: 20, Percent: 90,
	FirstProbe: 30 * time.Second, LastProbe: 5 * time.Minute, Passes: 3,
}

// Start returns the beginning of the window that holds a time.
func (r Rule) Start(now time.Time) time.Time { return now.UTC().Truncate(r.Window) }

// Opens reports whether a window's attempts open the breaker.
func (r Rule) Opens(t webhook.Tally) bool {
	return t.Attempts >= r.Attempts && t.Failed*100 >= t.Attempts*r.Percent
}

// Open returns the breaker of a subscriber as it opens.
func (r Rule) Open(sub webhook.SubscriptionRef, now time.Time) webhook.Breaker {
	now = now.UTC().Truncate(time.Millisecond)
	return webhook.Breaker{Since: now, ProbeAt: now.Add(r.wait(sub, 0))}
}

// Claimed returns the breaker as it is while its next probe is made.
func (r Rule) Claimed(b webhook.Breaker, sub webhook.SubscriptionRef, now time.Time) webhook.Breaker {
	b.Probes++
	b.ProbeAt = now.UTC().Truncate(time.Millisecond).Add(r.wait(sub, b.Probes))
	return b
}

// Probed returns the breaker after a probe; closed if enough have passed.
func (r Rule) Probed(b webhook.Breaker, passed bool, now time.Time) webhook.Breaker {
	if !passed {
		b.Passed = 0
		return b
	}
	if b.Passed++; b.Passed >= r.Passes {
		return webhook.Breaker{}
	}
	b.ProbeAt = now.UTC().Truncate(time.Millisecond)
	return b
}

// wait is the time before the probe after so many, with jitter, so that
// breakers that opened together do not probe together.
func (r Rule) wait(sub webhook.SubscriptionRef, probes int) time.Duration {
	const doublings = 20 // more would overflow, and reach any LastProbe
	full := min(r.FirstProbe<<min(probes, doublings), r.LastProbe)
	return retry.Jitter(full, sub.Tenant+"/"+sub.ID, probes)
}
