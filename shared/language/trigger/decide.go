package trigger

import (
	"slices"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Action is what a decision asks for.
type Action int

// The actions.
const (
	Skip   Action = iota // nothing; Reason says why
	Send                 // the delivery, rendered with Count
	Wait                 // for the delay, which ends at Due
	Cancel               // the delivery is stored as canceled for Reason: nothing can be sent
)

// Decision is what the trigger says to an event.
type Decision struct {
	Do     Action
	Reason webhook.Reason // of Skip and Cancel
	Count  int            // how often the key had occurred; 0 without a count
	Due    time.Time      // of Wait
	Quiet  bool           // of Wait: until quiet hours are over, not for the trigger's delay
	By     string         // of the reason cap: which, if several subscriptions share it; else ""
	Drops  int            // delays that ran and come to nothing by this one
	Until  time.Time      // of a view, for once_per and cap: until when what is claimed leaves no room; zero if nothing says so
}

// Ready tells whether a delivery can be made, before anything is claimed for
// it: "" or the reason why not. Its error is a fault of ours.
type Ready func(count int) (webhook.Reason, error)

// Always is a [Ready] that has nothing against it.
func Always(int) (webhook.Reason, error) { return "", nil }

// Decide decides for an event when it is handled, given the parts that Refs
// names, and returns what to store before that is carried out. An event that
// was decided before gets the same decision.
func (o *Occurrence) Decide(items []webhook.StateItem, now time.Time, ready Ready) (Decision, []webhook.StateItem, error) {
	st, err := load(live(items, now))
	if err != nil {
		return Decision{}, nil, err
	}
	if d, decided := o.decided(st); decided {
		return d, nil, nil
	}
	before := len(st.timer.value.Pending)
	d, err := o.decide(st, now, ready)
	if err != nil {
		return Decision{}, nil, err
	}
	if d.Drops = before - len(st.timer.value.Pending); d.Do == Wait && !d.Quiet {
		d.Drops++
	}
	changes, err := st.changes()
	return d, changes, err
}

// Decided returns what was decided for the event before, given the parts that
// Refs names; false if nothing was, or nothing that had to be noted.
func (o *Occurrence) Decided(items []webhook.StateItem) (Decision, bool, error) {
	st, err := load(items)
	if err != nil {
		return Decision{}, false, err
	}
	d, decided := o.decided(st)
	return d, decided, nil
}

// decided finds what was decided before.
func (o *Occurrence) decided(st *state) (Decision, bool) {
	m := st.mark.value
	switch {
	case st.mark.exists() && m.Event == o.eventKey:
		return o.repeat(m, st.timer.value), true
	case st.mark.exists():
		return m.another(o.eventKey)
	case !o.marks() && st.once.exists() && st.once.value.Event == o.eventKey:
		if o.event.History != 0 {
			return Decision{Reason: webhook.ReasonHistory}, true
		}
		return Decision{Do: Send}, true
	}
	return Decision{}, false
}

// another is the decision for an event that is not the one that the mark stands
// for. It is open while that one has failed: it does not use the value up.
func (m mark) another(event string) (Decision, bool) {
	for _, f := range m.Failed {
		if f.Event == event {
			return Decision{Do: Cancel, Reason: f.Reason, Count: int(f.Count)}, true
		}
	}
	if cancels(m.Outcome) {
		return Decision{}, false
	}
	return Decision{Reason: webhook.ReasonDuplicate}, true
}

// repeat is the decision that a mark tells of.
func (o *Occurrence) repeat(m mark, t timer) Decision {
	d := Decision{Reason: m.Outcome, Count: int(m.Count), By: m.By}
	switch {
	case m.Outcome == sent:
		d.Do, d.Reason = Send, ""
	case m.Outcome == "" && m.Quiet:
		d.Do, d.Due, d.Quiet = Wait, m.Due, true
	case m.Outcome == "" && t.waits(o.mark):
		d.Do, d.Due = Wait, m.Due
	case m.Outcome == "":
		d.Reason = t.whyNot(o.start(m.Due, m.Order), o.spec.keep)
	case cancels(m.Outcome):
		d.Do = Cancel
	}
	return d
}

// whyNot tells why a start that once waited does not any more.
func (t timer) whyNot(s start, keep bool) webhook.Reason {
	switch {
	case t.Canceled.cancels(s):
		return webhook.ReasonCanceledBy
	case keep:
		return webhook.ReasonDuplicate
	}
	return webhook.ReasonNotDue
}

// skips are the reasons for which there is not even a canceled delivery.
var skips = []webhook.Reason{
	webhook.ReasonType, webhook.ReasonFilter,
	webhook.ReasonNoKey, webhook.ReasonDuplicate, webhook.ReasonNotDue, webhook.ReasonCanceledBy,
	webhook.ReasonStale, webhook.ReasonOnce, webhook.ReasonCap, webhook.ReasonDeleted, webhook.ReasonExpired, webhook.ReasonHistory,
	webhook.ReasonHoldout, webhook.ReasonQuiet,
}

func cancels(reason webhook.Reason) bool {
	return reason != "" && reason != sent && !slices.Contains(skips, reason)
}

// decide decides for an event that is new.
func (o *Occurrence) decide(st *state, now time.Time, ready Ready) (Decision, error) {
	if o.event.History != 0 {
		return o.remember(st, now), nil
	}
	if o.spec.Stale(o.event.Time, now) {
		return Decision{Reason: webhook.ReasonStale}, nil
	}
	before := st.count.value
	count, fires := o.count(st, now)
	if !fires {
		return o.note(st, now, count, Decision{Reason: webhook.ReasonNotDue}), nil
	}
	if o.spec.delays() {
		return o.begin(st, now, count), nil
	}
	d, err := o.finish(st, now, count, ready)
	if d.Do == Cancel && o.spec.counts() {
		st.count.set(before, now.Add(o.spec.forever)) // stored all the same: it was decided by that count
	}
	return d, err
}

// count counts the occurrence.
func (o *Occurrence) count(st *state, now time.Time) (n int64, fires bool) {
	if !o.spec.counts() {
		return 0, true
	}
	c, fires := o.spec.next(st.count.value, o.event.Time)
	st.count.set(c, now.Add(o.spec.forever))
	return c.N, fires
}

// begin starts the delay.
func (o *Occurrence) begin(st *state, now time.Time, count int64) Decision {
	if at, given := o.until(); o.spec.until != nil && given && at.Before(now) {
		return o.note(st, now, count, Decision{Reason: webhook.ReasonStale}) // what it is about is over
	}
	t, reason := st.timer.value.started(o.start(o.due(), o.event.Order), o.spec.keep)
	if reason != "" {
		return o.note(st, now, count, Decision{Reason: reason})
	}
	st.timer.set(t, t.until(now))
	return o.note(st, now, count, Decision{Do: Wait, Due: o.due()})
}

// start is the event's start, given the order that its message told: what is
// stored of an event does not.
func (o *Occurrence) start(due time.Time, order uint32) start {
	e := o.event
	e.Order = order
	return start{positionOf(e), o.eventKey, o.mark, due.UTC()}
}

// finish renders and claims.
func (o *Occurrence) finish(st *state, now time.Time, count int64, ready Ready) (Decision, error) {
	reason, err := ready(int(count))
	if err != nil {
		return Decision{}, err
	}
	if reason != "" {
		d := Decision{Reason: reason}
		if cancels(reason) {
			d.Do = Cancel
		}
		return o.note(st, now, count, d), nil
	}
	return o.note(st, now, count, o.sendOrNot(st, now)), nil
}

// sendOrNot decides for what can be sent: not in quiet hours, only if there is room
// for it, and not to who is held out. That one is claimed as if it was sent.
func (o *Occurrence) sendOrNot(st *state, now time.Time) Decision {
	if until := o.quietUntil(now); !until.IsZero() {
		if o.spec.quiet.Skips() {
			return Decision{Reason: webhook.ReasonQuiet}
		}
		return Decision{Do: Wait, Due: until, Quiet: true}
	}
	if reason, by := o.claim(st, now); reason != "" {
		return Decision{Reason: reason, By: by}
	}
	held := o.spec.common.HeldOut(o.event.Subject)
	o.hope(st, now, held)
	if held {
		return Decision{Reason: webhook.ReasonHoldout}
	}
	return Decision{Do: Send}
}

// note writes the decision into the event's mark.
func (o *Occurrence) note(st *state, now time.Time, count int64, d Decision) Decision {
	d.Count = int(count)
	if !o.marks() {
		return d
	}
	m := mark{
		Event: o.eventKey, Source: o.event.Source, ID: o.event.ID, Order: o.event.Order, Version: o.version,
		Count: count, Due: d.Due, Outcome: d.Reason, At: now.UTC(), By: d.By, Quiet: d.Quiet,
	}
	until := now
	switch d.Do {
	case Send:
		m.Outcome = sent
	case Wait:
		m.Outcome = ""
		until = later(now, d.Due)
	}
	st.mark.set(m.after(st.mark.value), until.Add(o.markKept()))
	return d
}

// maxFailed is how many of those are remembered that failed before the one that
// a distinct value's mark stands for: their messages may come again.
const maxFailed = 16

// after returns the mark with what it must keep of what stood there before:
// when its own delay ends, or that others have failed.
func (m mark) after(old mark) mark {
	m.Failed = old.Failed
	switch old.Event {
	case "":
	case m.Event:
		m.Order = old.Order
		if m.Due.IsZero() {
			m.Due = old.Due
		}
	default:
		m.Failed = append(slices.Clone(old.Failed), failure{old.Event, old.Outcome, old.Count})
		m.Failed = m.Failed[max(0, len(m.Failed)-maxFailed):]
	}
	return m
}

// marks reports whether what is decided for the event must be noted: the delay
// of a start was noted, whatever its trigger has become since.
func (o *Occurrence) marks() bool { return o.spec.marks() || o.started }

func (o *Occurrence) markKept() time.Duration {
	if o.spec.distinct != nil {
		return o.spec.forever
	}
	return kept
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Fire decides for a start whose delay is over, given the parts that Refs
// names. It is false if the start is not the next to fire, or not yet: it was
// canceled, is a repeat, or has fired.
func (o *Occurrence) Fire(items []webhook.StateItem, now time.Time, ready Ready) (d Decision, changes []webhook.StateItem, fires bool, err error) {
	st, err := load(live(items, now))
	if err != nil {
		return d, nil, false, err
	}
	t := st.timer.value
	if len(t.Pending) == 0 || t.Pending[0].Mark != o.mark || t.Pending[0].Event != o.eventKey || t.Pending[0].Due.After(now) {
		return d, nil, false, nil
	}
	if o.spec.Stale(o.event.Time, now) {
		ready = func(int) (webhook.Reason, error) { return webhook.ReasonStale, nil }
	}
	next := t.fired()
	st.timer.set(next, next.until(now))
	if d, changes, err = o.end(st, now, ready); err != nil {
		return d, nil, false, err
	}
	d.Drops = len(t.Pending) - 1 - len(next.Pending)
	return d, changes, true, nil
}

// end decides for what has waited.
func (o *Occurrence) end(st *state, now time.Time, ready Ready) (Decision, []webhook.StateItem, error) {
	d, err := o.finish(st, now, st.mark.value.Count, ready)
	if err != nil {
		return d, nil, err
	}
	if d.Do == Cancel && st.count.exists() {
		st.count.set(st.count.value.without(), now.Add(o.spec.forever))
	}
	changes, err := st.changes()
	return d, changes, err
}

// Wake decides for an event that has waited until quiet hours are over, given the
// parts that Refs names. It is false if it does not wait for that any more, or is to
// wait on. What cancels the trigger's delay cancels it too.
func (o *Occurrence) Wake(items []webhook.StateItem, now time.Time, ready Ready) (d Decision, changes []webhook.StateItem, wakes bool, err error) {
	st, err := load(live(items, now))
	if err != nil {
		return d, nil, false, err
	}
	m := st.mark.value
	if m.Event != o.eventKey || m.Outcome != "" || !m.Quiet || m.Due.After(now) {
		return d, nil, false, nil
	}
	switch {
	case st.timer.value.Canceled.cancels(o.start(o.due(), m.Order)):
		ready = func(int) (webhook.Reason, error) { return webhook.ReasonCanceledBy, nil }
	case o.spec.Stale(o.event.Time, now):
		ready = func(int) (webhook.Reason, error) { return webhook.ReasonStale, nil }
	}
	d, changes, err = o.end(st, now, ready)
	return d, changes, err == nil, err
}
