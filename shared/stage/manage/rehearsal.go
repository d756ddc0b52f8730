package manage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/webhook"
)

// batchView is what the newest events would have led to.
type batchView struct {
	Events   int           `json:"events"`   // that were looked at
	Complete bool          `json:"complete"` // false: their data was too much, and the newest of them are left out
	After    *httpapi.Time `json:"after"`    // when the first of them was accepted; null if there are none
	Before   *httpapi.Time `json:"before"`   // the last
	Text     string        `json:"text"`     // "312 of 1,000 would match, 40 capped"
	tallyView
	Subscriptions []memberTally `json:"subscriptions"`
	Examples      []exampleView `json:"examples"` // up to three events for each outcome
}

// tallyView counts by what would have become of events.
type tallyView struct {
	Missed  map[webhook.Reason]int `json:"missed"` // did not match, by reason
	Matched int                    `json:"matched"`
	Skipped map[webhook.Reason]int `json:"skipped"` // of those that matched, by reason
	Waiting int                    `json:"waiting"` // for a delay or for quiet hours, still now
	Sent    int                    `json:"sent"`
}

type memberTally struct {
	ID string `json:"id"`
	tallyView
}

// exampleView is an event of which something would have become.
type exampleView struct {
	Subscription string  `json:"subscription"`
	Event        string  `json:"event"`
	Source       string  `json:"source"`
	Outcome      outcome `json:"outcome"`
	Reason       *string `json:"reason"`
}

const maxExamples = 3 // of each outcome

// rehearsal plays events through subscriptions.
type rehearsal struct {
	*previews
	trigger.Rehearsal
	members []*rehearsed
	defined *people.Definitions // nil: nobody asks for profiles
	view    batchView
}

// rehearsed is a subscription that events are played through.
type rehearsed struct {
	joined
	asks    matcher
	request *render.Request
	tally   tallyView
}

func newTally() tallyView {
	return tallyView{Missed: map[webhook.Reason]int{}, Skipped: map[webhook.Reason]int{}}
}

func (h *previews) rehearsal(r *httpapi.Request, subs []webhook.Subscription) (*rehearsal, error) {
	play := &rehearsal{previews: h, view: batchView{Examples: []exampleView{}}}
	rules, profiles := h.rulesOf(r.Context(), r.Tenant), false
	for _, s := range subs {
		m := &rehearsed{tally: newTally()}
		var err error
		m.Subscription = s
		if m.spec, m.campaign, err = rules(s); err != nil {
			return nil, err
		}
		if m.spec == nil {
			m.spec = trigger.Bare()
		}
		if m.asks, err = matcherOf(s); err != nil {
			return nil, err
		}
		var faults []render.Fault
		if m.request, faults = render.Compile(s); len(faults) > 0 {
			return nil, fmt.Errorf("subscription %s: %s: %s", s.ID, faults[0].Field, faults[0].Detail)
		}
		filter, templates := subscription.ReadsProfile(s)
		profiles = profiles || filter || templates || m.spec.ReadsProfile() || m.campaign != nil && m.campaign.ReadsProfile()
		play.members = append(play.members, m)
	}
	var err error
	if profiles {
		play.defined, err = h.definitions.compiled(r)
	}
	return play, err
}

// asksFor reports whether events of a type mean anything to any of them.
func (p *rehearsal) asksFor(eventType string) bool {
	return slices.ContainsFunc(p.members, func(m *rehearsed) bool { return m.asks.asksFor(eventType) })
}

// chunk plays events, in their order. A profile is seen as it was when the event was
// matched, if that is known, or else as it is now.
func (p *rehearsal) chunk(r *httpapi.Request, events []webhook.StoredEvent) error {
	known, err := p.known(r, events)
	if err != nil {
		return err
	}
	for _, e := range events {
		env, err := envelope(p.defined, e.Event, known)
		if err != nil {
			return err
		}
		decoded, err := pattern.Decode(env)
		if err != nil {
			return err
		}
		if p.defined != nil {
			e.Profile = env.Profile
		}
		if err := p.event(e, decoded); err != nil {
			return fmt.Errorf("event %s: %w", e.ID, err)
		}
	}
	return nil
}

// known reads the profiles of events that were matched without.
func (p *rehearsal) known(r *httpapi.Request, events []webhook.StoredEvent) (map[string]webhook.Profile, error) {
	var subjects []string
	for _, e := range events {
		if e.Profile == nil && e.Subject != "" && p.asksFor(e.Type) && !slices.Contains(subjects, e.Subject) {
			subjects = append(subjects, e.Subject)
		}
	}
	if p.defined == nil || len(subjects) == 0 {
		return nil, nil
	}
	known, err := p.profiles.Store.Profiles(r.Context(), r.Tenant, subjects)
	if err != nil {
		return nil, fmt.Errorf("read profiles: %w", err)
	}
	return known, nil
}

func envelope(d *people.Definitions, e webhook.Event, known map[string]webhook.Profile) (pattern.Envelope, error) {
	view := people.View{Attributes: e.Profile}
	if d != nil && e.Profile == nil && e.Subject != "" {
		p, ok := known[e.Subject]
		if !ok {
			p = webhook.Profile{Tenant: e.Tenant, Subject: e.Subject}
		}
		var err error
		if view, err = d.ViewOf(p); err != nil {
			return pattern.Envelope{}, err
		}
	}
	return d.Envelope(e, view)
}

// event plays one event through every subscription.
func (p *rehearsal) event(e webhook.StoredEvent, decoded *pattern.Event) error {
	at := httpapi.Time(e.AcceptedAt)
	if p.view.Events++; p.view.After == nil {
		p.view.After = &at
	}
	p.view.Before = &at
	if err := p.Until(e.AcceptedAt); err != nil {
		return err
	}
	for _, m := range p.members {
		if err := p.play(m, e, decoded); err != nil {
			return fmt.Errorf("subscription %s: %w", m.ID, err)
		}
	}
	return nil
}

// play has a subscription see an event: first what it cancels is canceled.
func (p *rehearsal) play(m *rehearsed, e webhook.StoredEvent, decoded *pattern.Event) error {
	found := m.asks.match(decoded)
	asked := trigger.Asked{Subscription: m.Subscription, Event: e.Event, Decoded: decoded, Cancels: found.cancels}
	if err := p.Cancel(m.spec, asked); err != nil {
		return err
	}
	why := found.reason
	if e.Type == webhook.SendType && !slices.ContainsFunc(e.Plan.Entries, func(entry webhook.PlanEntry) bool { return entry.Subscription == m.ID }) {
		why = webhook.ReasonType // a send to another subscription
	}
	if why == "" && m.Campaign != "" {
		why = audienceMisses(m.campaign, decoded)
	}
	switch {
	case why != "":
		m.tally.Missed[why]++
		p.example(m, e, outcomeSkipped, why)
		return nil
	case e.Expunged || e.Data == nil:
		m.tally.Matched++
		m.tell(p, e)(trigger.Decision{Reason: webhook.ReasonExpired})
		return nil
	}
	m.tally.Matched++
	return p.Play(m.spec, asked, tryOf(m.request, m.Subscription, e.Event, e.AcceptedAt).ready, m.tell(p, e))
}

// tell counts what became of an event that matched.
func (m *rehearsed) tell(p *rehearsal, e webhook.StoredEvent) trigger.Told {
	return func(d trigger.Decision) {
		switch {
		case d.Reason != "":
			m.tally.Skipped[d.Reason]++
			p.example(m, e, outcomeSkipped, d.Reason)
		case d.Do == trigger.Wait:
			m.tally.Waiting++
			p.example(m, e, outcomeWaiting, "")
		default:
			m.tally.Sent++
			p.example(m, e, outcomeSent, "")
		}
	}
}

func (p *rehearsal) example(m *rehearsed, e webhook.StoredEvent, o outcome, why webhook.Reason) {
	n := 0
	for _, x := range p.view.Examples {
		if x.Outcome == o && cmp.Or(deref(x.Reason), "") == string(why) {
			n++
		}
	}
	if n < maxExamples && why != webhook.ReasonType {
		p.view.Examples = append(p.view.Examples, exampleView{m.ID, e.ID, e.Source, o, reason(why)})
	}
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// over sums up.
func (p *rehearsal) over(now time.Time) (batchView, error) {
	if err := p.Until(now); err != nil {
		return p.view, fmt.Errorf("preview of many: %w", err)
	}
	p.End()
	sum := newTally()
	for _, m := range p.members {
		sum.Matched, sum.Waiting, sum.Sent = sum.Matched+m.tally.Matched, sum.Waiting+m.tally.Waiting, sum.Sent+m.tally.Sent
		for why, n := range m.tally.Missed {
			sum.Missed[why] += n
		}
		for why, n := range m.tally.Skipped {
			sum.Skipped[why] += n
		}
		p.view.Subscriptions = append(p.view.Subscriptions, memberTally{m.ID, m.tally})
	}
	p.view.tallyView, p.view.Text = sum, sum.text(p.view.Events, len(p.members))
	return p.view, nil
}

// text is "312 of 1,000 would match: 270 sent, 40 cap, 2 waiting".
// Of several subscriptions it is "3 events would match 4 times: …".
func (t tallyView) text(events, subscriptions int) string {
	text := fmt.Sprintf("%s of %s would match", grouped(t.Matched), grouped(events))
	if subscriptions > 1 {
		text = fmt.Sprintf("%s events would match %s times", grouped(events), grouped(t.Matched))
	}
	parts := []string{}
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, grouped(n)+" "+what)
		}
	}
	add(t.Sent, "sent")
	for _, why := range slices.Sorted(maps.Keys(t.Skipped)) {
		add(t.Skipped[why], cmp.Or(skippedAs[why], string(why)))
	}
	if add(t.Waiting, "waiting"); len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	return text
}

// skippedAs says in a word what the code of a reason does not.
var skippedAs = map[webhook.Reason]string{
	webhook.ReasonCap: "capped", webhook.ReasonHoldout: "held out", webhook.ReasonNotDue: "not due", webhook.ReasonCanceledBy: "canceled by another event",
	webhook.ReasonOnce: "sent before", webhook.ReasonStale: "too old", webhook.ReasonNoKey: "without a key", webhook.ReasonQuiet: "in quiet hours",
	webhook.ReasonMissingField: "without a required field", webhook.ReasonRenderError: "not rendered", webhook.ReasonExpired: "without their payload",
}
