package trigger

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Bounds of a timer.
const (
	maxPending = 64 // starts that wait for one key; with keep the latest beyond are dropped, else the earliest
	maxFired   = 16 // latest firings that are remembered, for starts that arrive late
)

// position is where an event stands among others: by its own time, and within
// that by the order of acceptance.
type position struct {
	Time     time.Time `json:"t"`
	Accepted int64     `json:"a"`           // microseconds since 1970
	Place    int       `json:"n,omitempty"` // in its request
	ID       string    `json:"i"`           // says what stands there; orders nothing
}

func positionOf(e webhook.Event) position {
	micros := e.AcceptedAt.UnixMilli()*1000 + int64(e.Order>>16)
	return position{e.Time.UTC(), micros, int(e.Order & 0xffff), e.ID}
}

func (p position) compare(q position) int {
	return cmp.Or(p.Time.Compare(q.Time), cmp.Compare(p.Accepted, q.Accepted), cmp.Compare(p.Place, q.Place))
}

// start is an event whose delay runs, or has run.
type start struct {
	position
	Event string    `json:"e"`
	Mark  string    `json:"m"`
	Due   time.Time `json:"due"`
}

// compare orders starts. Requests that came in the same microsecond, or to
// processes whose clocks differ, leave no other order than that of the names.
func (a start) compare(b start) int {
	return cmp.Or(a.position.compare(b.position), strings.Compare(a.ID, b.ID), strings.Compare(a.Event, b.Event))
}

// timer is the part TIMER.
type timer struct {
	Pending  []start    `json:"p,omitempty"` // in order
	Canceled *cancelMax `json:"c,omitempty"`
	Fired    []start    `json:"f,omitempty"` // oldest firing first
}

// cancelMax is the latest cancel. Of several events there, two are enough to
// know that one of them is not the start itself.
type cancelMax struct {
	position
	Events []string `json:"e"`
}

// cancels reports whether a recorded cancel stops the start.
func (c *cancelMax) cancels(s start) bool {
	if c == nil {
		return false
	}
	order := c.compare(s.position)
	return order > 0 || order == 0 && slices.ContainsFunc(c.Events, func(e string) bool { return e != s.Event })
}

// canceled returns the timer after a cancel, and whether that changed it.
func (t timer) canceled(at position, event string) (timer, bool) {
	before := len(t.Pending)
	by := &cancelMax{at, []string{event}}
	t.Pending = slices.DeleteFunc(slices.Clone(t.Pending), by.cancels)
	changed := len(t.Pending) != before
	switch c := t.Canceled; {
	case c == nil || by.compare(c.position) > 0:
		t.Canceled, changed = by, true
	case by.compare(c.position) == 0 && len(c.Events) == 1 && c.Events[0] != event:
		t.Canceled, changed = &cancelMax{at, []string{c.Events[0], event}}, true
	}
	return t, changed
}

// started returns the timer after a start, or why it will never fire.
func (t timer) started(s start, keep bool) (timer, webhook.Reason) {
	if t.Canceled.cancels(s) {
		return t, webhook.ReasonCanceledBy
	}
	for _, f := range t.Fired {
		switch {
		case keep && within(f, s), keep && within(s, f):
			return t, webhook.ReasonDuplicate
		case within(s, f):
			return t, webhook.ReasonNotDue
		}
	}
	t.Pending = slices.Clone(t.Pending)
	if !keep {
		if slices.ContainsFunc(t.Pending, func(p start) bool { return within(s, p) }) {
			return t, webhook.ReasonNotDue
		}
		t.Pending = slices.DeleteFunc(t.Pending, func(p start) bool { return within(p, s) })
	}
	i, _ := slices.BinarySearchFunc(t.Pending, s, start.compare)
	t.Pending = slices.Insert(t.Pending, i, s)
	if len(t.Pending) <= maxPending {
		return t, ""
	}
	if keep {
		t.Pending = t.Pending[:maxPending]
		if i == maxPending {
			return t, webhook.ReasonDuplicate
		}
		return t, ""
	}
	t.Pending = t.Pending[1:]
	return t, ""
}

// within reports whether b comes after a and within its delay.
func within(a, b start) bool { return a.compare(b) < 0 && !b.Time.After(a.Due) }

// fired returns the timer after its first start has fired. Those within its
// delay were repeats of it.
func (t timer) fired() timer {
	first := t.Pending[0]
	t.Pending = slices.DeleteFunc(slices.Clone(t.Pending[1:]), func(p start) bool { return within(first, p) })
	t.Fired = append(slices.Clone(t.Fired), first)
	if len(t.Fired) > maxFired {
		t.Fired = t.Fired[len(t.Fired)-maxFired:]
	}
	return t
}

// waits reports whether the start with that mark is pending.
func (t timer) waits(mark string) bool {
	return slices.ContainsFunc(t.Pending, func(p start) bool { return p.Mark == mark })
}

// until is how long a timer is kept.
func (t timer) until(now time.Time) time.Time {
	for _, p := range t.Pending {
		if p.Due.After(now) {
			now = p.Due
		}
	}
	return now.Add(kept)
}

// CancelBy returns the timer's item after an event that cancels, or nil if that
// changes nothing.
func CancelBy(item webhook.StateItem, e webhook.Event, now time.Time) (*webhook.StateItem, error) {
	var p part[timer]
	if err := p.decode(live([]webhook.StateItem{item}, now)[0]); err != nil {
		return nil, err
	}
	t, changed := p.value.canceled(positionOf(e), e.Key())
	if !changed {
		return nil, nil
	}
	p.set(t, t.until(now))
	items, err := p.changed(nil)
	if err != nil {
		return nil, err
	}
	return &items[0], nil
}
