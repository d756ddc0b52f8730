package lifecycle

import (
	"time"

	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/webhook"
)

// Attempted is an attempt with its outcome.
type Attempted struct {
	Attempt    webhook.Attempt // its number is given by Record
	Outcome    retry.Outcome
	RetryAfter time.Duration // the wait that the answer asks for
	Parks      bool          // a 410 that disables the subscription: the delivery waits for its owner
}

// Purpose is what an attempt was made for.
type Purpose uint8

// The purposes.
const (
	Scheduled Purpose = iota // it is the one that the schedule waits for
	ByHand                   // somebody asked for it
	Probe                    // it shows how the subscriber does
)

// Made says for what an attempt was made.
type Made struct {
	Round, Step int
	For         Purpose
	Renewed     bool // another follows at once, with a new token: the schedule waits for that one
}

// InSchedule reports whether the attempt moves the schedule on.
func (m Made) InSchedule() bool { return m.For == Scheduled && !m.Renewed }

// Record records an attempt. Any success ends the delivery. A failure advances the
// schedule only if the schedule was waiting for this attempt; otherwise it is only
// recorded.
//
// Beside the delivery, the attempt is stored, and the body if it is not yet.
// One that succeeded at once needs neither: one write of 1 KB then covers all,
// which is what nearly all deliveries come to.
func Record(d webhook.Delivery, a Attempted, content webhook.Content, made Made, schedule retry.Schedule, now time.Time) Transition {
	t := concluded(d, noted(d, a, made), a, made, schedule, now)
	if d.Rev == 0 && t.Next.Status == webhook.Succeeded {
		t.Next.Digest = content.Digest()
		return t
	}
	whole, brief := *t.Next.Last, *t.Next.Last
	brief.Response = nil
	t.Next.Last, t.With.Attempt = &brief, &whole
	return t.Keeping(&content)
}

// concluded draws the conclusion from an attempt that is noted in next.
func concluded(d, next webhook.Delivery, a Attempted, made Made, schedule retry.Schedule, now time.Time) Transition {
	switch {
	case a.Outcome == retry.Success && d.Status != webhook.Succeeded:
		return to(d, ended(next, webhook.Succeeded, "", now))
	case !made.InSchedule() || d.Status != webhook.Pending || d.Round != made.Round || d.Step != made.Step:
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
func noted(d webhook.Delivery, a Attempted, made Made) webhook.Delivery {
	d.Attempts++
	last := a.Attempt
	last.Number = d.Attempts
	d.Last = &last
	if made.InSchedule() {
		d.Claim = webhook.Claim{}
	}
	return d
}

// StandsAlone reports whether the delivery holds the only record of its first
// attempt, which succeeded at once. Another attempt would write over it.
func StandsAlone(d webhook.Delivery) bool {
	return d.Rev == 1 && d.Status == webhook.Succeeded && d.Last != nil
}

// KeepFirst stores the attempt of a delivery that [StandsAlone] beside it.
func KeepFirst(d webhook.Delivery) Transition {
	first := *d.Last
	return Transition{Next: d, With: webhook.Parts{Attempt: &first}}
}
