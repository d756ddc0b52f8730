package fanout_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// lane is one subscription for one key.
type lane struct {
	model
	j     *judge
	r     *role
	rules *bounds              // nil: it is part of no campaign
	waits map[*happening]noted // until quiet hours are over
	since map[*happening]int   // the entry of the log that told of a cancel
	mine  []claimed            // of once and cap
}

// claimed is a claim, and the entry of the log that made it.
type claimed struct {
	at    time.Time
	entry int
}

// times are the claims that a decision knew of: those that had been made when its
// state was read, and those that are stored together with it.
func (j *judge) times(claims []claimed) (times []time.Time) {
	for _, c := range claims {
		if j.knew(c.entry) {
			times = append(times, c.at)
		}
	}
	return times
}

// knew reports whether the decision that is judged knew of an entry of the log.
// Whatever it changes nobody has changed since. What it only read others may have.
func (j *judge) knew(entry int) bool { return entry < j.read || entry == j.now }

func (j *judge) lane(r *role, e *happening) *lane {
	name := [2]string{r.id, e.Subject}
	if r.shape.trigger == "" {
		name[1] = e.Key()
	}
	l := j.lanes[name]
	if l == nil {
		l = &lane{model: model{shape: r.shape}, j: j, r: r, rules: j.campaigns[r.campaign], waits: map[*happening]noted{}, since: map[*happening]int{}}
		l.ends = l.finish
		j.lanes[name] = l
	}
	return l
}

// follow makes one noted decision and says what is wrong with it.
func (l *lane) follow(s step) string {
	before, waited := l.waits[s.event]
	switch {
	case s.event.History != 0:
		return l.past(s)
	case waited && s.At.Before(before.Due):
		return "woke in quiet hours"
	case waited:
		delete(l.waits, s.event)
		if l.shape.cancels && l.stopped(s.event) {
			return want(s, webhook.ReasonCanceledBy)
		}
		return l.finish(s)
	}
	return l.step(s)
}

// stopped reports whether a cancel that was known when it was decided stops an event.
func (l *lane) stopped(e *happening) bool {
	return slices.ContainsFunc(l.cancels, func(c *happening) bool { return l.j.knew(l.since[c]) && position(c, e) >= 0 })
}

func want(s step, outcome webhook.Reason) string {
	if s.Outcome == string(outcome) {
		return ""
	}
	return fmt.Sprintf("outcome is %q, want %q", s.Outcome, outcome)
}

// past is an event of the past: nothing is sent, whatever it counts and claims.
func (l *lane) past(s step) string {
	fires, outcome := true, webhook.ReasonHistory
	if l.shape.every > 0 || l.shape.at > 0 {
		if l.n++; s.Count != l.n {
			return fmt.Sprintf("number %d, want %d", s.Count, l.n)
		}
		if fires = l.due(l.n); fires {
			l.had = true
		} else {
			outcome = webhook.ReasonNotDue
		}
	}
	if fires && s.event.History.Feeds(webhook.HistoryClaims) {
		l.mine = append(l.mine, claimed{minTime(s.event.Time, s.At), l.j.now})
	}
	return want(s, outcome)
}

// finish is what comes of an event whose turn it is: it may not be sent any more, it
// may be quiet, there may be no room, and its subject may be held out.
func (l *lane) finish(s step) string {
	if reason, is := l.unwanted(s); is {
		l.n, l.had = max(0, l.n-1), false
		return want(s, reason)
	}
	if l.rules == nil {
		return l.own(s, "sent")
	}
	if end := l.rules.quiet.end(s.At, l.zone(s.event)); !end.IsZero() {
		if l.rules.quiet.skip {
			return want(s, webhook.ReasonQuiet)
		}
		l.waits[s.event] = s.noted
		if s.Outcome != "" || !s.Due.Equal(end) {
			return fmt.Sprintf("outcome is %q until %v, want it to wait until %v", s.Outcome, s.Due, end)
		}
		return ""
	}
	return l.own(s, l.share(s))
}

// unwanted is why nothing of an event is sent any more: it cannot be rendered, or the
// profile of its subject, read again after it has waited, is not met any more.
func (l *lane) unwanted(s step) (webhook.Reason, bool) {
	if !s.start {
		consents, refuses := l.looks(s)
		switch reason := webhook.Reason(s.Outcome); {
		case reason == webhook.ReasonProfile && l.r.consents && refuses, reason == webhook.ReasonAudience && !l.r.consents && refuses && l.rules != nil && l.rules.audience:
			return reason, true
		case (l.r.consents || l.rules != nil && l.rules.audience) && !consents:
			return "profile or audience", true
		}
	}
	return webhook.ReasonMissingField, s.event.bare && !l.r.emits
}

// looks tells whether wake-ups that came late enough saw that the subject consents, and
// that it refuses.
func (l *lane) looks(s step) (consents, refuses bool) {
	from := s.event.Time.Add(l.shape.delay)
	for _, look := range l.j.wakes {
		if look.subject != s.event.Subject || look.clock.Before(from) || look.clock.After(s.At) {
			continue
		}
		if l.j.face(s.event.Subject, look.at)["consent"] == "true" {
			consents = true
		} else {
			refuses = true
		}
	}
	return consents, refuses
}

// own claims once and cap of the trigger, and notes the claims of what is sent.
func (l *lane) own(s step, then string) string {
	shape, latest, within := l.shape, time.Time{}, 0
	mine := l.j.times(l.mine)
	for _, at := range mine {
		if at.After(latest) {
			latest = at
		}
		if at.After(s.At.Add(-shape.per)) {
			within++
		}
	}
	switch {
	case shape.once && len(mine) > 0, shape.oncePer > 0 && len(mine) > 0 && s.At.Before(latest.Add(shape.oncePer)):
		return want(s, webhook.ReasonOnce)
	case shape.cap > 0 && within >= shape.cap:
		return want(s, webhook.ReasonCap)
	case then != string(webhook.ReasonCap):
		l.mine = append(l.mine, claimed{s.At, l.j.now})
		l.claimShared(s)
	}
	return want(s, webhook.Reason(then))
}

// share is what the campaign says: whether its caps have room, and whether it holds
// the subject out.
func (l *lane) share(s step) string {
	for _, limit := range l.rules.caps {
		within := 0
		for _, at := range l.j.times(l.j.claims[limit.of(s.event)]) {
			if at.After(s.At.Add(-limit.Per)) {
				within++
			}
		}
		if within >= limit.Max {
			return string(webhook.ReasonCap)
		}
	}
	who := [2]string{l.rules.id, s.event.Subject}
	heldOut, seen := l.j.held[who]
	if !seen {
		heldOut = s.Outcome == string(webhook.ReasonHoldout) && l.rules.holdout > 0
	}
	if heldOut {
		return string(webhook.ReasonHoldout)
	}
	return "sent"
}

// claimShared notes what is sent, or held out, in all caps of the campaign.
func (l *lane) claimShared(s step) {
	if l.rules == nil {
		return
	}
	for _, limit := range l.rules.caps {
		name := limit.of(s.event)
		l.j.claims[name] = append(l.j.claims[name], claimed{s.At, l.j.now})
	}
	heldOut := s.Outcome == string(webhook.ReasonHoldout)
	l.j.held[[2]string{l.rules.id, s.event.Subject}] = heldOut
	if l.j.heard != nil {
		l.j.heard(l.rules.id, l.rules.holdout, s.event.Subject, heldOut)
	}
}

// of names the claims that an event makes of the cap.
func (l limited) of(e *happening) string {
	if l.Key == "subject" {
		return l.Name + " " + e.Subject
	}
	return l.Name + " " + detailsOf(e.Event).Site
}

// zone is where the subject of an event is.
func (l *lane) zone(e *happening) *time.Location {
	if l.rules.quiet == nil {
		return time.UTC
	}
	name := ""
	switch l.rules.quiet.zone {
	case "profile.tz":
		name = strings.Trim(l.j.frozen[e.Key()]["tz"], `"`)
	case "data.tz":
		name = detailsOf(e.Event).TZ
	default:
		name = l.rules.quiet.zone
	}
	zone, err := time.LoadLocation(name) // "" is UTC
	if err != nil {
		panic(err)
	}
	return zone
}

// end is the minute from which on the clock on the wall does not show quiet hours any
// more; zero if it does not show them now.
func (n *night) end(now time.Time, zone *time.Location) time.Time {
	for at := now; n != nil; at = at.Truncate(time.Minute).Add(time.Minute) {
		local := at.In(zone)
		minute := local.Hour()*60 + local.Minute()
		if n.from < n.to && (minute < n.from || minute >= n.to) || n.from > n.to && minute < n.from && minute >= n.to {
			if at.Equal(now) {
				return time.Time{}
			}
			return at
		}
	}
	return time.Time{}
}
