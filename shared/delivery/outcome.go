package delivery

import (
	"time"

	"github.com/postino/postino/shared/retry"
	"github.com/postino/postino/shared/webhook"
)

// result is one attempt with what it means.
type result struct {
	attempt    webhook.Attempt
	took       time.Duration
	outcome    retry.Outcome
	retryAfter time.Duration // the wait that the answer asks for
	stale      bool          // a 401 to an access token that was not new: another one may do
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

// after returns the delivery as it stands once the attempt is known. It is a
// pure function: a repeat of the record decides the same.
//
// A success ends the delivery, whoever made the attempt. A failure moves the
// schedule on only if it was the attempt that the schedule is waiting for;
// otherwise it is noted and nothing else.
func after(d webhook.Delivery, r result, from origin, schedule retry.Schedule, now time.Time) webhook.Delivery {
	d.Attempts++
	r.attempt.Number = d.Attempts
	last := r.attempt
	d.Last = &last
	if !from.apart() {
		d.Claim = webhook.Claim{}
	}
	switch {
	case r.outcome == retry.Success:
		return ended(d, webhook.Succeeded, "", now)
	case from.apart() || d.Status != webhook.Pending || d.Round != from.round || d.Step != from.step:
		return d
	case r.outcome == retry.Permanent:
		return ended(d, webhook.Exhausted, webhook.ReasonPermanent, now)
	case r.outcome == retry.Gone && !r.parks:
		return ended(d, webhook.Exhausted, webhook.ReasonGone, now)
	}
	d.Step++
	if r.outcome == retry.Gone {
		return parked(d, webhook.WaitDisabled, now)
	}
	wait, again := schedule.After(d.Step, d.ID, r.retryAfter)
	if !again {
		return ended(d, webhook.Exhausted, "", now)
	}
	d.Waiting, d.NextAt = webhook.WaitRetry, now.Add(wait).Truncate(time.Millisecond)
	return d
}

func ended(d webhook.Delivery, status webhook.Status, reason webhook.Reason, now time.Time) webhook.Delivery {
	d.Status, d.Reason, d.Waiting = status, reason, ""
	d.NextAt, d.WaitingSince, d.EndedAt = time.Time{}, time.Time{}, now
	return d
}

func parked(d webhook.Delivery, why webhook.Waiting, now time.Time) webhook.Delivery {
	d.Waiting, d.NextAt, d.WaitingSince = why, time.Time{}, now
	d.Claim = webhook.Claim{}
	return d
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
