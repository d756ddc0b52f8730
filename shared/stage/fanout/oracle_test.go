package fanout_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// shape is a trigger with what the oracle must know of it.
type shape struct {
	name     string
	trigger  string
	tick     time.Duration // the unit of the events' times
	every    int
	at       int
	distinct bool
	once     bool
	oncePer  time.Duration
	cap      int
	per      time.Duration
	delay    time.Duration
	keep     bool
	cancels  bool
}

const cancelClause = `"cancel":[{"types":["cancel","both"]}]`

var shapes = []shape{
	{name: "every", trigger: `{"every":3}`, tick: time.Minute, every: 3},
	{name: "every distinct", trigger: `{"every":2,"distinct":"data.b"}`, tick: time.Minute, every: 2, distinct: true},
	{name: "at", trigger: `{"at":4}`, tick: time.Minute, at: 4},
	{name: "at distinct", trigger: `{"at":3,"distinct":"data.b"}`, tick: time.Minute, at: 3, distinct: true},
	{name: "once", trigger: `{"once":true}`, tick: time.Minute, once: true},
	{name: "every once", trigger: `{"every":2,"once":true}`, tick: time.Minute, every: 2, once: true},
	{name: "once per", trigger: `{"once_per":"5m"}`, tick: time.Minute, oncePer: 5 * time.Minute},
	{name: "cap", trigger: `{"cap":{"max":2,"per":"4m"}}`, tick: time.Minute, cap: 2, per: 4 * time.Minute},
	{name: "once per and cap", trigger: `{"once_per":"2m","cap":{"max":2,"per":"10m"}}`, tick: time.Minute, oncePer: 2 * time.Minute, cap: 2, per: 10 * time.Minute},
	{name: "restart", trigger: `{"delay":"5m",` + cancelClause + `}`, tick: time.Minute, delay: 5 * time.Minute, cancels: true},
	{name: "keep", trigger: `{"delay":"5m","on_repeat":"keep",` + cancelClause + `}`, tick: time.Minute, delay: 5 * time.Minute, keep: true, cancels: true},
	{name: "restart for days", trigger: `{"delay":"3d",` + cancelClause + `}`, tick: 12 * time.Hour, delay: 72 * time.Hour, cancels: true},
	{name: "keep for days", trigger: `{"delay":"30d","on_repeat":"keep",` + cancelClause + `}`, tick: 120 * time.Hour, delay: 720 * time.Hour, keep: true, cancels: true},
	{name: "every delayed once", trigger: `{"every":2,"delay":"4m","once":true,` + cancelClause + `}`, tick: time.Minute, every: 2, delay: 4 * time.Minute, once: true, cancels: true},
	{name: "delayed cap", trigger: `{"delay":"1m","cap":{"max":1,"per":"6m"},` + cancelClause + `}`, tick: time.Minute, delay: time.Minute, cap: 1, per: 6 * time.Minute, cancels: true},
}

// noted is what the state tells of one event.
type noted struct {
	Event   string    `json:"e"`
	Count   int       `json:"n"`
	Due     time.Time `json:"due"`
	Outcome string    `json:"o"`
	At      time.Time `json:"at"`
}

// check compares what came of the history with what its events say, and
// returns what is wrong.
func (h *history) check() []string {
	if h.cast != nil {
		return h.cast.check()
	}
	faults := h.faults
	for _, key := range []string{"u0", "u1"} {
		v := &verdictOf{h: h, key: key}
		v.count()
		v.follow()
		v.deliveries()
		faults = append(faults, v.faults...)
	}
	return faults
}

// verdictOf judges one key of a history.
type verdictOf struct {
	h      *history
	key    string
	sent   []string // event keys that led to a delivery
	marks  map[string]noted
	faults []string
}

func (v *verdictOf) wrong(format string, args ...any) {
	v.faults = append(v.faults, v.key+": "+fmt.Sprintf(format, args...))
}

// count checks the numbers that follow from the whole history alone.
func (v *verdictOf) count() {
	s := v.h.shape
	occurrences, events, bare := map[string]bool{}, 0, 0
	for _, e := range v.h.events {
		if e.Subject == v.key && e.starts {
			events++
			if e.bare {
				bare++
			}
			occurrences[e.mark] = true
		}
	}
	for _, f := range v.h.sent {
		e := v.h.byKey[webhook.EventKey(f.Source, f.Event)]
		if e.Subject == v.key {
			v.sent = append(v.sent, e.Key())
		}
	}
	want := len(occurrences)
	switch {
	case s.every > 0:
		want /= s.every
	case s.at > 0:
		want = min(1, want/s.at)
	}
	if s.once {
		want = min(1, want)
	}
	exact := s.delay == 0 && s.cap == 0 && s.oncePer == 0 && bare == 0
	if len(v.sent) > want || exact && len(v.sent) != want {
		v.wrong("%d deliveries, want %d of %d events", len(v.sent), want, events)
	}
}

// step is one commit, as the model sees it.
type step struct {
	noted
	event *happening
	start bool // not noted before
}

// follow replays the commits in a model that knows only the events: whatever
// was committed must be what the model says at that point.
func (v *verdictOf) follow() {
	m := &model{shape: v.h.shape}
	v.marks = map[string]noted{}
	for _, c := range v.h.commits {
		for _, item := range c.items {
			if from := v.canceler(c, item); from != nil && from.Subject == v.key {
				if !from.cancels {
					v.wrong("%s changed the timer without a cancel", from.ID)
				}
				m.cancel(from)
			}
			if !strings.HasPrefix(item.Part, "M#") {
				continue
			}
			var n noted
			if err := json.Unmarshal(item.Data, &n); err != nil {
				v.wrong("mark: %v", err)
				continue
			}
			e := v.h.byKey[n.Event]
			if e == nil || e.Subject != v.key {
				continue
			}
			_, known := v.marks[n.Event]
			if !known {
				v.inOrder(e)
			}
			v.marks[n.Event] = n
			if wrong := m.step(step{n, e, !known}); wrong != "" {
				v.wrong("%s at %s: %s", e.ID, n.At.Format(time.TimeOnly), wrong)
			}
		}
	}
	if len(m.pending) > 0 {
		v.wrong("%d starts never fired", len(m.pending))
	}
	v.declare(m)
	v.paid(m)
}

// canceler is the event whose cancel a commit of the timer alone is: the latest
// that the timer tells of, or of one that comes alone, that one.
func (v *verdictOf) canceler(c commit, item webhook.StateItem) *happening {
	if item.Part != "TIMER" || len(c.items) != 1 || c.by.from == nil {
		return nil
	}
	var timer struct {
		Canceled struct {
			Events []string `json:"e"`
		} `json:"c"`
	}
	if err := json.Unmarshal(item.Data, &timer); err != nil || len(timer.Canceled.Events) == 0 {
		return c.by.from
	}
	return v.h.byKey[timer.Canceled.Events[len(timer.Canceled.Events)-1]]
}

// inOrder checks that the events of one array are counted in its order.
func (v *verdictOf) inOrder(e *happening) {
	for _, before := range v.h.events {
		if before.array == 0 || before.array != e.array || before.place >= e.place || before.Subject != v.key || !before.starts {
			continue
		}
		_, known := v.marks[before.Key()]
		if v.h.shape.distinct { // somebody of its value may have been there before
			for key := range v.marks {
				known = known || v.h.byKey[key].mark == before.mark
			}
		}
		if !known {
			v.wrong("%s, number %d of its array, is counted before %s, number %d", e.ID, e.place, before.ID, before.place)
		}
	}
}

// paid checks that no occurrence that could be sent was passed over for one
// that could not.
func (v *verdictOf) paid(m *model) {
	s := m.shape
	if s.delay > 0 || s.once || len(v.marks) == 0 {
		return
	}
	if s.every > 0 && len(v.sent) != m.n/s.every || s.at > 0 && len(v.sent) != min(1, m.n/s.at) {
		v.wrong("%d deliveries after %d occurrences that count", len(v.sent), m.n)
	}
}

// due tells whether the n-th occurrence is one to fire; at fires once.
func (m *model) due(n int) bool {
	s := m.shape
	return s.every == 0 && s.at == 0 || s.every > 0 && n%s.every == 0 || s.at > 0 && n >= s.at && !m.had
}

// declare checks, for starts whose repeats restart, what needs no model: who
// fired has no cancel and no later start before its firing; who did not, has.
func (v *verdictOf) declare(m *model) {
	if m.shape.delay == 0 || m.shape.keep || m.shape.every > 0 {
		return
	}
	for _, s := range v.h.events {
		if s.Subject != v.key || !s.starts {
			continue
		}
		reason := ""
		for _, other := range v.h.events {
			if other.Subject != v.key || other == s {
				continue
			}
			if other.cancels && position(other, s) >= 0 {
				reason = "canceled by " + other.ID
			}
			if other.starts && m.within(s, other) {
				reason = "restarted by " + other.ID
			}
		}
		if fired := slices.Contains(m.fired, s); !fired && reason == "" {
			v.wrong("%s never fired, and nothing says why", s.ID)
		}
	}
}

// deliveries checks that what was noted as sent was sent, and nothing else.
func (v *verdictOf) deliveries() {
	for key, n := range v.marks {
		if e := v.h.byKey[key]; n.Outcome == "missing_field" {
			id := webhook.DeliveryID(v.h.tenant, key, e.AcceptedAt, v.h.sub.ID, "")
			if d, err := v.h.store.Delivery(context.Background(), v.h.tenant, id); err != nil || d.Status != webhook.Canceled {
				v.wrong("%s could not be rendered, and its delivery is %q, %v", e.ID, d.Status, err)
			}
		}
		if (n.Outcome == "sent") != slices.Contains(v.sent, key) {
			v.wrong("outcome of %s is %q, sent: %v", v.h.byKey[key].ID, n.Outcome, slices.Contains(v.sent, key))
		}
	}
	if len(v.marks) == 0 {
		return
	}
	for _, key := range v.sent {
		if _, ok := v.marks[key]; !ok {
			v.wrong("%s was sent and not noted", v.h.byKey[key].ID)
		}
	}
}

// model is the naive truth about one key: sets of events and their times.
type model struct {
	shape   shape
	n       int  // occurrences that count
	had     bool // at has had its firing
	pending []*happening
	fired   []*happening
	cancels []*happening
	claims  []time.Time
	claimed bool
	ends    func(step) string // of what a campaign has: what comes of one whose turn it is; nil is claim
}

// position compares by time and by the order of acceptance, which is what
// cancels go by.
func position(a, b *happening) int {
	return cmp.Or(a.Time.Compare(b.Time), a.AcceptedAt.Compare(b.AcceptedAt), cmp.Compare(a.Order, b.Order))
}

func order(a, b *happening) int {
	return cmp.Or(position(a, b), strings.Compare(a.ID, b.ID), strings.Compare(a.Key(), b.Key()))
}

// within reports whether b comes after a, within a's delay.
func (m *model) within(a, b *happening) bool {
	return order(a, b) < 0 && b.Time.Sub(a.Time) <= m.shape.delay
}

func (m *model) cancel(by *happening) {
	m.cancels = append(m.cancels, by)
	m.pending = slices.DeleteFunc(m.pending, m.canceled)
}

func (m *model) canceled(s *happening) bool {
	return slices.ContainsFunc(m.cancels, func(c *happening) bool { return c != s && position(c, s) >= 0 })
}

// late reports whether a later start has taken the place of one that arrives now.
func (m *model) late(e *happening) bool {
	return slices.ContainsFunc(append(slices.Clone(m.pending), m.fired...), func(o *happening) bool { return m.within(e, o) })
}

// step makes one noted decision and says what is wrong with it.
func (m *model) step(s step) string {
	if counts := m.shape.every > 0 || m.shape.at > 0; counts && s.start {
		if s.Count != m.n+1 {
			return fmt.Sprintf("number %d, want %d", s.Count, m.n+1)
		}
		m.n++
		if !m.due(m.n) {
			if s.Outcome != "not_due" {
				return fmt.Sprintf("number %d is %q", s.Count, s.Outcome)
			}
			return ""
		}
		m.had = true
	}
	if m.shape.delay == 0 {
		return m.claim(s)
	}
	if s.start {
		return m.begin(s)
	}
	first := slices.MinFunc(append(slices.Clone(m.pending), s.event), order)
	switch {
	case !slices.Contains(m.pending, s.event):
		return "fired, but does not wait"
	case first != s.event:
		return "fired before " + first.ID
	case s.At.Before(s.event.Time.Add(m.shape.delay)):
		return "fired before its time"
	}
	m.fired = append(m.fired, s.event)
	m.pending = slices.DeleteFunc(m.pending, func(p *happening) bool { return p == s.event || m.within(s.event, p) })
	return m.claim(s)
}

// begin is the start of a delay. Where several things speak against it, any of
// them may be the reason that is noted.
func (m *model) begin(s step) string {
	repeats := m.shape.keep && slices.ContainsFunc(m.fired, func(f *happening) bool { return m.within(f, s.event) || m.within(s.event, f) })
	late := !m.shape.keep && m.late(s.event)
	waits := !m.canceled(s.event) && !repeats && !late
	if waits != (s.Outcome == "") {
		return fmt.Sprintf("start is %q; canceled: %v, repeats: %v, late: %v", s.Outcome, m.canceled(s.event), repeats, late)
	}
	if waits {
		if !m.shape.keep {
			m.pending = slices.DeleteFunc(m.pending, func(p *happening) bool { return m.within(p, s.event) })
		}
		m.pending = append(m.pending, s.event)
	}
	return ""
}

// claim is a claim of once and cap at the noted time of our clock.
func (m *model) claim(s step) string {
	if m.ends != nil {
		return m.ends(s)
	}
	want := "sent"
	if s.event.bare { // and uses nothing up, not even its number
		m.n, m.had = m.n-1, false
		if s.Outcome != "missing_field" {
			return fmt.Sprintf("outcome is %q, want missing_field", s.Outcome)
		}
		return ""
	}
	last := time.Time{}
	if n := len(m.claims); n > 0 {
		last = m.claims[n-1]
	}
	inWindow := 0
	for _, c := range m.claims {
		if c.After(s.At.Add(-m.shape.per)) {
			inWindow++
		}
	}
	switch {
	case m.shape.once && m.claimed, m.shape.oncePer > 0 && m.claimed && s.At.Before(last.Add(m.shape.oncePer)):
		want = "once"
	case m.shape.cap > 0 && inWindow >= m.shape.cap:
		want = "cap"
	default:
		m.claimed = true
		m.claims = append(m.claims, s.At)
	}
	if s.Outcome != want {
		return fmt.Sprintf("outcome is %q, want %q", s.Outcome, want)
	}
	return ""
}
