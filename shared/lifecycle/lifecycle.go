// Package lifecycle contains every state transition of a delivery, from its
// plan to its end.
//
// Each step of it is a pure function: it takes the delivery as it is stored
// and returns a [Transition], the next state with the effects that follow once
// that state is stored. An [Executor] stores transitions and carries the
// effects out. No stage writes a delivery's state in another way.
//
//	Begin ──► pending ──Record──► succeeded, exhausted
//	             │ ▲
//	             │ Claim: a worker makes its attempt
//	   Park, Offered, PutOff, Release, Record: it waits, for its subscription, for
//	             │       somebody who pulls it, or for a time
//	             │
//	             ├──Exhaust─► exhausted ─┐
//	             └──Cancel──► canceled ──┴─SendAgain─► pending, one round on
package lifecycle

import (
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Effects is a set of effects of a stored transition. All except Count are safe to
// repeat.
type Effects uint16

// The effects, in the order in which they are carried out.
const (
	Count      Effects = 1 << iota // metrics and statistics count its end
	Announce                       // the operational event that its state calls for, if any
	Redrive                        // a pointer to it goes to the queue of what is exhausted
	Leave                          // it leaves its subscription's waiting line
	Enter                          // it enters that line
	Offer                          // it may be pulled
	Wake                           // its attempt at NextAt is arranged
	WakeSecond                     // so is one that missed its turn under a rate limit before: this turn is good whenever it comes
)

// Transition is a delivery's next state, with what is stored in the same write
// and what follows once it is stored.
type Transition struct {
	Next    webhook.Delivery
	With    webhook.Parts
	Effects Effects
}

// Keeping stores the body that the delivery was rendered with too, if it has
// none yet.
func (t Transition) Keeping(c *webhook.Content) Transition {
	if c != nil && t.Next.Digest == "" {
		t.With.Content, t.Next.Digest = c, c.Digest()
	}
	return t
}

// Follows returns the effects of a stored delivery, for a worker that finds it. The
// worker that stored it may have crashed before it carried them out.
func Follows(d webhook.Delivery) Effects {
	switch {
	case d.Status == webhook.Exhausted:
		return Announce | Redrive
	case d.Status != webhook.Pending:
		return Announce
	case d.InLine():
		return Announce | Enter
	case d.Waiting == webhook.WaitPull:
		return Announce | Offer
	case d.Timed():
		return Announce | Wake
	}
	return Announce
}

// to is the transition from before to next.
func to(before, next webhook.Delivery) Transition {
	effects := Follows(next)
	if next.Status != webhook.Pending && before.Status != next.Status {
		effects |= Count
	}
	if before.InLine() && next.Status != webhook.Pending {
		effects |= Leave // what still waits for something may enter the line again meanwhile
	}
	return Transition{Next: next, Effects: effects}
}

// Begin begins the life of a delivery of which nothing but its event and its
// subscription are known. It is not stored.
func Begin(d webhook.Delivery) webhook.Delivery {
	d.Status = webhook.Pending
	return d
}

// Planned returns the delivery that fan-out planned for an event, before anything
// has happened to it. It is not stored.
func Planned(e webhook.Event, entry webhook.PlanEntry) webhook.Delivery {
	return Begin(webhook.Delivery{
		Tenant: e.Tenant, ID: e.DeliveryID(entry), EventID: e.ID, EventSource: e.Source, EventType: e.Type,
		Subscription: entry.Subscription, Version: entry.Version, CreatedAt: e.AcceptedAt,
	})
}

// Delayed returns a planned delivery as one that waits for the delay of its
// trigger, or for the end of quiet hours. It is not stored.
func Delayed(d webhook.Delivery, why webhook.Waiting, until time.Time) webhook.Delivery {
	d.Waiting, d.NextAt = why, precise(until)
	return d
}

// Claim is a worker's word, written before it posts, that it makes the attempt
// that the delivery waits for. Until then others leave it alone.
func Claim(d webhook.Delivery, token string, until time.Time) Transition {
	d.Claim = webhook.Claim{Token: token, Until: until}
	return Transition{Next: d}
}

// Park makes the delivery wait in line until its subscription is open again.
func Park(d webhook.Delivery, why webhook.Waiting, now time.Time) Transition {
	return to(d, parked(d, why, now))
}

func parked(d webhook.Delivery, why webhook.Waiting, now time.Time) webhook.Delivery {
	d.Waiting, d.NextAt, d.WaitingSince = why, time.Time{}, now
	d.Claim = webhook.Claim{}
	return d
}

// Offered makes the delivery wait until somebody pulls it.
func Offered(d webhook.Delivery, now time.Time) Transition {
	return to(d, parked(d, webhook.WaitPull, now))
}

// PutOff has the delivery wait for its turn under a rate limit, perhaps because
// it missed the one that it had. That is no attempt.
func PutOff(d webhook.Delivery, until time.Time) Transition {
	next := d
	next.Waiting, next.NextAt, next.Claim = webhook.WaitRateLimit, precise(until), webhook.Claim{}
	t := to(d, next)
	if d.Waiting == webhook.WaitRateLimit {
		t.Effects = t.Effects&^Wake | WakeSecond
	}
	return t
}

// Release takes the delivery out of its waiting line: its attempt is due at the
// given time, and until then it waits for why.
func Release(d webhook.Delivery, why webhook.Waiting, at time.Time) Transition {
	next := d
	next.Waiting, next.NextAt, next.WaitingSince = why, precise(at), time.Time{}
	return to(d, next)
}

// Cancel ends a pending delivery that must not be posted any more. Detail is the
// reason as text, without the event's data; "" if there are no details.
func Cancel(d webhook.Delivery, why webhook.Reason, detail string, now time.Time) Transition {
	next := ended(d, webhook.Canceled, why, now)
	next.Detail = detail
	return to(d, next)
}

// Exhaust ends a pending delivery that has waited too long.
func Exhaust(d webhook.Delivery, why webhook.Reason, now time.Time) Transition {
	return to(d, ended(d, webhook.Exhausted, why, now))
}

// Expunge takes the answer out of a delivery whose event was expunged, and ends
// it if it is pending. It reports whether that changes anything.
func Expunge(d webhook.Delivery, now time.Time) (t Transition, changes bool) {
	t = Transition{Next: d}
	if d.Status == webhook.Pending {
		t, changes = Cancel(d, webhook.ReasonExpired, "", now), true
	}
	if d.Last != nil && d.Last.Response != nil {
		last := *d.Last
		last.Response = nil
		t.Next.Last, t.With.Attempt = &last, &last // from now on nothing tells that it stands in its delivery alone
		changes = true
	}
	return t, changes
}

func ended(d webhook.Delivery, status webhook.Status, why webhook.Reason, now time.Time) webhook.Delivery {
	d.Status, d.Reason, d.Detail, d.Waiting, d.Claim = status, why, "", "", webhook.Claim{}
	d.NextAt, d.WaitingSince, d.EndedAt = time.Time{}, time.Time{}, precise(now)
	return d
}

// SendAgain starts another round of an ended delivery's schedule. Its first attempt
// is due at the given time.
func SendAgain(d webhook.Delivery, at time.Time) Transition {
	next := d
	next.Status, next.Reason, next.Detail, next.EndedAt = webhook.Pending, "", "", time.Time{}
	next.Round, next.Step = d.Round+1, 0
	next.Waiting, next.NextAt = webhook.WaitRetry, precise(at)
	return to(d, next)
}

// precise is a time as it is stored.
func precise(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
