package delivery

import (
	"time"

	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/webhook"
)

// result is one attempt with what it means.
type result struct {
	attempt    webhook.Attempt
	took       time.Duration
	outcome    retry.Outcome
	retryAfter time.Duration // the wait that the answer asks for
	stale      bool          // a 401 to an access token that was not new: another one may do
	floods     bool          // the answer went on beyond what is read of it
	parks      bool          // a 410 that disables the subscription: the delivery waits for its owner
}

// origin says what an attempt was made for.
type origin struct {
	round, step int
	manual      bool         // by hand
	probe       bool         // to see how the subscriber does
	beside      bool         // kept, but the schedule waits for the one that follows at once
	head        webhook.Head // of the subscription, when it was made
}

// apart reports whether the attempt is not one that the schedule waits for.
func (o origin) apart() bool { return o.manual || o.probe || o.beside }

// of is what the delivery's life has to know of an attempt.
func (o origin) of() lifecycle.Origin {
	return lifecycle.Origin{Round: o.round, Step: o.step, Apart: o.apart()}
}

func (r result) attempted() lifecycle.Attempted {
	return lifecycle.Attempted{Attempt: r.attempt, Outcome: r.outcome, RetryAfter: r.retryAfter, Parks: r.parks}
}

// closed tells what a delivery waits for while its subscription stands like
// that; "" means that it is open, or gone.
func closed(h webhook.Head) webhook.Waiting {
	switch {
	case h.State == webhook.Paused:
		return webhook.WaitPaused
	case h.State == webhook.Disabled:
		return webhook.WaitDisabled
	case h.Health.Breaker.Open():
		return webhook.WaitBreaker
	}
	return ""
}

// gone reports whether the delivery's subscription was deleted; another with
// the same id, born later, is not its own.
func gone(h webhook.Head, version int64) bool { return h.Version == 0 || h.Born > version }
