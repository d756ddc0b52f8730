package fanout_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// judge follows the log of a cast in a model that knows only its events and its
// rules: whatever was stored must be what the model says at that point.
type judge struct {
	*cast
	events map[string]*happening    // stored, by key
	frozen map[string]face          // as each event saw the profile of its subject, by key; nil if nobody asked
	gets   map[[2]string]bool       // who gets which event, by subscription and event
	lanes  map[[2]string]*lane      // by subscription, and subject or event
	claims map[string][]claimed     // of shared caps, by name and key
	held   map[[2]string]bool       // whether a campaign holds a subject out, once that was seen
	ended  map[[2]string]string     // what came of an event, by subscription and event
	links  map[[2]string]*happening // the event that was made, by subscription and event
	faults []string

	now, read int // the entry of the log that is judged, and after how many of them its state was read
}

func (j *judge) wrong(format string, args ...any) {
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}

func (c *cast) check() []string {
	j := &judge{
		cast: c, events: map[string]*happening{}, frozen: map[string]face{}, gets: map[[2]string]bool{}, lanes: map[[2]string]*lane{},
		claims: map[string][]claimed{}, held: map[[2]string]bool{}, ended: map[[2]string]string{}, links: map[[2]string]*happening{}, faults: c.h.faults,
	}
	for _, f := range c.h.sent {
		c.sent[[2]string{f.Subscription, webhook.EventKey(f.Source, f.Event)}] = f
	}
	for i, entry := range c.h.log {
		if entry.event != nil {
			j.stored(i, entry)
			continue
		}
		j.now = i
		j.saved(entry)
	}
	j.known()
	j.outcomes()
	j.emitted()
	return j.faults
}

// stored checks an event as it was stored: who gets it, by what was known of its
// subject, of which its own effects are a part.
func (j *judge) stored(i int, entry commit) {
	e := entry.event
	happened := j.h.byKey[e.Key()]
	if e.Type == "chain" {
		happened = &happening{Event: e.Event, key: e.Subject, starts: true}
		j.link(happened)
	}
	if happened == nil {
		j.wrong("event %s was stored, and never published", e.ID)
		return
	}
	j.events[e.Key()] = happened
	faces := []face{j.face(e.Subject, i+1)}
	if e.Type == "order" || !e.History.Feeds(webhook.HistoryAttributes) {
		faces = nil
		for _, l := range entry.by.looks[e.Subject] {
			faces = append(faces, j.face(e.Subject, l.at))
		}
	}
	if e.Profile != nil {
		j.frozen[e.Key()] = faceOf(e.Profile)
		if !slices.ContainsFunc(faces, func(f face) bool { return fmt.Sprint(f) == fmt.Sprint(j.frozen[e.Key()]) }) {
			j.wrong("%s saw the profile %v, want one of %v", e.ID, j.frozen[e.Key()], faces)
		}
		faces = []face{j.frozen[e.Key()]}
	}
	if len(faces) == 0 {
		faces = []face{{}}
	}
	for _, r := range j.roles {
		want := r.wants(happened, faces[0], j.campaigns[r.campaign])
		got := plannedFor(e.Plan.Entries, r.id)
		if got != want {
			j.wrong("%s to %s by the profile %v: %q, want %q", e.ID, r.id, faces[0], got, want)
		}
		j.gets[[2]string{r.id, e.Key()}] = got == "gets"
	}
}

// wants says whether a subscription gets an event, and why its campaign keeps it from it.
func (r *role) wants(e *happening, f face, b *bounds) string {
	s := r.shape
	counts := s.every > 0 || s.at > 0
	claims := s.once || s.oncePer > 0 || s.cap > 0
	remembers := e.History == 0 || e.History&webhook.HistoryCounts != 0 && counts || e.History&webhook.HistoryClaims != 0 && claims && !counts
	switch {
	case !slices.Contains(r.types, e.Type) || !remembers:
		return ""
	case r.consents && f["consent"] != "true", r.second && f.number("n") < 2:
		if b == nil {
			return ""
		}
		return string(webhook.ReasonProfile)
	case b != nil && b.audience && f["consent"] != "true":
		return string(webhook.ReasonAudience)
	}
	return "gets"
}

func (f face) number(name string) (n int) {
	fmt.Sscan(f[name], &n)
	return n
}

// plannedFor is what the plan says of a subscription.
func plannedFor(entries []webhook.PlanEntry, subscription string) string {
	for _, entry := range entries {
		switch {
		case entry.Subscription != subscription:
		case entry.CancelsOnly:
			return string(entry.Why)
		default:
			return "gets"
		}
	}
	return ""
}

func faceOf(profile json.RawMessage) face {
	all, f := map[string]json.RawMessage{}, face{}
	if err := json.Unmarshal(profile, &all); err != nil {
		panic(err)
	}
	for name, value := range all {
		f[name] = string(value)
	}
	return f
}

// saved follows one change of state. What cancels comes before what it cancels, and
// after what it came too late for.
func (j *judge) saved(entry commit) {
	var late []func()
	for _, item := range entry.items {
		r := j.role(item.Subscription)
		if r == nil || !strings.HasPrefix(item.Part, "M#") {
			continue
		}
		var n noted
		if err := json.Unmarshal(item.Data, &n); err != nil {
			j.wrong("mark: %v", err)
			continue
		}
		decide := func() {
			j.read = entry.reads[item.StateRef]
			j.decided(r, n)
		}
		if n.Outcome == string(webhook.ReasonCanceledBy) {
			late = append(late, decide)
			continue
		}
		decide()
	}
	for _, item := range entry.items {
		if r := j.role(item.Subscription); r != nil && item.Part == "TIMER" {
			j.canceled(r, item)
		}
	}
	for _, decide := range late {
		decide()
	}
}

func (j *judge) role(id string) *role {
	for _, r := range j.roles {
		if r.id == id {
			return r
		}
	}
	return nil
}

// canceled tells the model of the cancel that a timer notes.
func (j *judge) canceled(r *role, item webhook.StateItem) {
	var timer struct {
		Canceled struct {
			Events []string `json:"e"`
		} `json:"c"`
	}
	if err := json.Unmarshal(item.Data, &timer); err != nil {
		j.wrong("timer: %v", err)
	}
	for _, key := range timer.Canceled.Events {
		by := j.events[key]
		if by == nil || !by.cancels {
			j.wrong("%s was canceled by %s, which cancels nothing", r.id, key)
			continue
		}
		if l := j.lane(r, by); !slices.Contains(l.cancels, by) {
			l.cancel(by)
			l.since[by] = j.now
		}
	}
}

// decided follows one decision.
func (j *judge) decided(r *role, n noted) {
	e, pair := j.events[n.Event], [2]string{r.id, n.Event}
	if e == nil || !j.gets[pair] {
		j.wrong("%s decided for %s, which it does not get", r.id, n.Event)
		return
	}
	_, known := j.ended[pair]
	l := j.lane(r, e)
	if wrong := l.follow(step{n, e, !known}); wrong != "" {
		j.wrong("%s (%s) for %s at %s: %s", r.id, r.shape.name, e.ID, n.At.Format(time.DateTime), wrong)
	}
	j.ended[pair] = n.Outcome
}

// link notes an event that was made of another.
func (j *judge) link(e *happening) {
	d := detailsOf(e.Event)
	pair := [2]string{d.By, strings.Replace(d.Of, " ", "#", 1)}
	if source, id, ok := strings.Cut(d.Of, " "); ok {
		pair[1] = webhook.EventKey(source, id)
	}
	from := j.events[pair[1]]
	switch {
	case from == nil:
		j.wrong("%s was made of %s, which nobody knows", e.ID, d.Of)
	case j.links[pair] != nil:
		j.wrong("%s was made of %s by %s, as was %s before", e.ID, d.Of, d.By, j.links[pair].ID)
	case e.Depth != from.Depth+1 || e.Depth > webhook.MaxDepth || e.Subject != from.Subject:
		j.wrong("%s of %s has depth %d, of %s", e.ID, e.Subject, e.Depth, d.Of)
	}
	j.links[pair] = e
}
