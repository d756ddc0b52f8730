package trigger

import (
	"slices"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Remembers reports whether an event of the past leaves anything in the state: a
// count, or a claim. What is not counted is not known to fire, so it claims
// nothing of a trigger that counts.
func (s *Spec) Remembers(h webhook.History) bool {
	return h.Feeds(webhook.HistoryCounts) && s.counts() || h.Feeds(webhook.HistoryClaims) && s.claims() && !s.counts()
}

// claims reports whether what is sent claims anything.
func (s *Spec) claims() bool { return s.once || s.oncePer > 0 || s.cap != nil }

// remember decides for an event of the past: it is counted, and claims what it
// would have claimed at its own time, but nothing is sent, however old it is.
func (o *Occurrence) remember(st *state, now time.Time) Decision {
	count, fires, reason := int64(0), !o.spec.counts(), webhook.ReasonHistory
	if o.spec.counts() && o.event.History.Feeds(webhook.HistoryCounts) {
		if count, fires = o.count(st, now); !fires {
			reason = webhook.ReasonNotDue
		}
	}
	if fires && o.event.History.Feeds(webhook.HistoryClaims) {
		o.claimOfPast(st, now)
	}
	return o.note(st, now, count, Decision{Reason: reason})
}

// claimOfPast claims once and cap as of the event's time. It takes no place from
// what was really sent, and none for longer than that would have.
func (o *Occurrence) claimOfPast(st *state, now time.Time) {
	at := o.event.Time
	if at.After(now) {
		at = now
	}
	mine := claim{o.eventKey, o.delivery, at.UTC()}
	known := st.once.exists()
	switch s := o.spec; {
	case s.once && !known:
		st.once.set(mine, now.Add(s.forever))
	case s.oncePer > 0 && now.Before(at.Add(s.oncePer)) && (!known || st.once.value.At.Before(at)):
		st.once.set(mine, at.Add(s.oncePer+kept))
	}
	if l := o.spec.cap; l != nil && now.Before(at.Add(l.per)) {
		st.cap.set(ledger{l.insert(st.cap.value.Claims, mine)}, now.Add(l.per+kept))
	}
}

// insert adds a claim where its time puts it. The earliest beyond max make no
// difference: those after them leave no room for longer.
func (l *limit) insert(claims []claim, mine claim) []claim {
	if slices.ContainsFunc(claims, func(c claim) bool { return c.Event == mine.Event }) {
		return claims
	}
	at, _ := slices.BinarySearchFunc(claims, mine, func(a, b claim) int { return a.At.Compare(b.At) })
	claims = slices.Insert(slices.Clone(claims), at, mine)
	return claims[max(0, len(claims)-l.max):]
}
