package lifecycle

import (
	"time"

	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/webhook"
)

// Attempted is an attempt with what it means.
type Attempted struct {
	Attempt    webhook.Attempt // its number is given by Record
	Outcome    retry.Outcome
	RetryAfter time.Duration // the wait that the answer asks for
	Parks      bool          // a 410 that disables the subscription: the delivery waits for its owner
}

// Origin is what an attempt was made for.
type Origin struct {
	Round, Step int
	Apart       bool // the schedule does not wait for it: by hand, a probe, or one that another follows at once
}

// Record notes an attempt. A success ends the delivery, whoever made the
// attempt. A failure moves the schedule on only if it was the attempt that the
// schedule is waiting for; otherwise it is noted and nothing else.
func Record(d webhook.Delivery, a Attempted, from Origin, schedule retry.Schedule, now time.Time) Transition {
	next := noted(d, a, from)
	switch {
	case a.Outcome == retry.Success && d.Status != webhook.Succeeded:
		return to(d, ended(next, webhook.Succeeded, "", now))
	case from.Apart || d.Status != webhook.Pending || d.Round != from.Round || d.Step != from.Step:
		return Transition{Next: next}
	case a.Outcome == retry.Permanent:
		return to(d, ended(next, webhook.Exhausted, webhook.ReasonPermanent, now))
	case a.Outcome == retry.Gone && !a.Parks:
		return to(d, ended(next, webhook.Exhausted, webhook.ReasonGone, now))
	}
	next.Step++
	if a.Outcome == retry.Gone {
		return to(d, parked(next, webhook.WaitDisabled, now))
	}
	wait, again := schedule.After(next.Step, d.ID, a.RetryAfter)
	if !again {
		return to(d, ended(next, webhook.Exhausted, "", now))
	}
	next.Waiting, next.NextAt = webhook.WaitRetry, precise(now.Add(wait))
	return to(d, next)
}

// noted returns the delivery with one attempt more.
func noted(d webhook.Delivery, a Attempted, from Origin) webhook.Delivery {
	d.Attempts++
	last := a.Attempt
	last.Number = d.Attempts
	d.Last = &last
	if !from.Apart {
		d.Claim = webhook.Claim{}
	}
	return d
}
