// Package lifecycle contains every state transition of a delivery, from its
// plan to its end.
//
// Each step of it is a pure function: it takes the delivery as it is stored
// and returns a [Transition], the next state with the effects that follow once
// that state is stored. An [Executor] stores transitions and carries the
// effects out. No stage writes a delivery's status in another way.
//
//	Begin ──► pending ──Record──► succeeded, exhausted
//	             │ ▲
//	   Park, PutOff, Release, Record: it waits, for its subscription or for a time
//	             │
//	             ├──Exhaust─► exhausted ─┐
//	             └──Cancel──► canceled ──┴─SendAgain─► pending, one round on
package lifecycle

import (
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Effects is a set of things that follow from a transition once it is stored.
// Each may be carried out twice, but for Count.
type Effects uint8

// The effects, in the order in which they are carried out.
const (
	Count    Effects = 1 << iota // metrics and statistics count its end
	Announce                     // the operational event that its state calls for, if any
	Redrive                      // a pointer to it goes to the queue of what is exhausted
	Leave                        // it leaves its subscription's waiting line
	Enter                        // it enters that line
	Wake                         // its attempt at NextAt is arranged
)

// Transition is a delivery's next state and what follows once it is stored.
type Transition struct {
	Next    webhook.Delivery
	Effects Effects
}

// Follows returns what a stored delivery calls for, whoever finds it: who wrote
// it may have died before the effects were carried out.
func Follows(d webhook.Delivery) Effects {
	switch {
	case d.Status == webhook.Exhausted:
		return Announce | Redrive
	case d.Status != webhook.Pending:
		return Announce
	case d.InLine():
		return Announce | Enter
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
	return Transition{next, effects}
}

// Begin returns the delivery that fan-out planned for an event, before anything
// has happened to it. It is not stored.
func Begin(e webhook.Event, entry webhook.PlanEntry) webhook.Delivery {
	return webhook.Delivery{
		Tenant: e.Tenant, ID: webhook.DeliveryID(e.Tenant, e.Key(), e.AcceptedAt, entry.Subscription, ""), EventID: e.ID, EventSource: e.Source,
		Subscription: entry.Subscription, Version: entry.Version, Status: webhook.Pending, CreatedAt: e.AcceptedAt,
	}
}

// Park has the delivery wait until its subscription opens.
func Park(d webhook.Delivery, why webhook.Waiting, now time.Time) Transition {
	return to(d, parked(d, why, now))
}

func parked(d webhook.Delivery, why webhook.Waiting, now time.Time) webhook.Delivery {
	d.Waiting, d.NextAt, d.WaitingSince = why, time.Time{}, now
	d.Claim = webhook.Claim{}
	return d
}

// PutOff has the delivery wait for its turn under a rate limit. That is no
// attempt.
func PutOff(d webhook.Delivery, until time.Time) Transition {
	next := d
	next.Waiting, next.NextAt, next.Claim = webhook.WaitRateLimit, precise(until), webhook.Claim{}
	return to(d, next)
}

// Release takes the delivery out of its waiting line: its attempt is due at the
// given time, and until then it waits for why.
func Release(d webhook.Delivery, why webhook.Waiting, at time.Time) Transition {
	next := d
	next.Waiting, next.NextAt, next.WaitingSince = why, precise(at), time.Time{}
	return to(d, next)
}

// Cancel ends a pending delivery that is not to be posted any more. Detail says
// why in words, without the event's data; "" if the reason says it all.
func Cancel(d webhook.Delivery, why webhook.Reason, detail string, now time.Time) Transition {
	next := ended(d, webhook.Canceled, why, now)
	next.Detail = detail
	return to(d, next)
}

// Exhaust ends a pending delivery that may wait no longer.
func Exhaust(d webhook.Delivery, why webhook.Reason, now time.Time) Transition {
	return to(d, ended(d, webhook.Exhausted, why, now))
}

func ended(d webhook.Delivery, status webhook.Status, why webhook.Reason, now time.Time) webhook.Delivery {
	d.Status, d.Reason, d.Detail, d.Waiting, d.Claim = status, why, "", "", webhook.Claim{}
	d.NextAt, d.WaitingSince, d.EndedAt = time.Time{}, time.Time{}, precise(now)
	return d
}

// SendAgain begins another round of an ended delivery's schedule, whose first
// attempt is due at the given time.
func SendAgain(d webhook.Delivery, at time.Time) Transition {
	next := d
	next.Status, next.Reason, next.Detail, next.EndedAt = webhook.Pending, "", "", time.Time{}
	next.Round, next.Step = d.Round+1, 0
	next.Waiting, next.NextAt = webhook.WaitRetry, precise(at)
	return to(d, next)
}

// precise is a time as it is stored.
func precise(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
