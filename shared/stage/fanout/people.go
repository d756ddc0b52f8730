package fanout

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/people/campaign"
	"github.com/postino/postino/shared/store/crowd"
	"github.com/postino/postino/shared/webhook"
)

// profiles decides what an event alone cannot tell: how it changes what is known of
// subjects, and who gets it by that.
type profiles struct{ *Fanout }

// condition is what a subscription that matches asks of the profile beside that.
type condition struct {
	subscription string
	filter       *pattern.Pattern // the whole filter, or the audience of its campaign
	why          webhook.Reason   // if it is not met
}

// matched is what an event leads to, as far as the event alone can tell.
type matched struct {
	event       *pattern.Event
	entries     []webhook.PlanEntry
	conditions  []condition
	definitions *people.Definitions // nil: the tenant has none
	members     map[string]bool     // subscriptions of campaigns: of those it is kept why they do not get the event
	asks        bool                // the profile, though no condition does
	groups      *groups             // nil if the event shares nothing with others

	further func(context.Context, *pattern.Event, []webhook.PlanEntry) ([]webhook.PlanEntry, error) // adds who gets the event by the profile; nil if nobody does
	one     string                                                                                  // the one subscription that may get it; "" for any

	feedsNothing bool // it changes no profile, whatever the definitions say
	remembers    bool // it is of the past: only those get it whose triggers remember it
}

// only leaves one subscription; "" leaves all.
func (m matched) only(subscription string) matched {
	if m.one = subscription; subscription == "" {
		return m
	}
	m.entries = slices.DeleteFunc(m.entries, func(e webhook.PlanEntry) bool { return e.Subscription != subscription })
	m.conditions = slices.DeleteFunc(m.conditions, func(c condition) bool { return c.subscription != subscription })
	return m
}

// decided is what is stored of an event.
type decided struct {
	webhook.StoredEvent
	profiles []webhook.Profile // as the event makes them
}

// withProfiles decides what the event alone cannot tell: how it changes profiles,
// and who gets it by what is known of its subject then. Without such a question it
// reads nothing.
func (f *profiles) withProfiles(ctx context.Context, e webhook.Event, m matched) (d decided, err error) {
	d.Event, d.Plan.Entries = e, m.entries
	if m.definitions == nil && len(m.conditions) == 0 && m.further == nil {
		return d, nil
	}
	var effects people.Effects
	if !m.feedsNothing {
		effects = m.definitions.Effects(e, m.event)
	}
	asks, err := f.asksProfile(ctx, e, m)
	subjects := effects.Subjects()
	if err != nil || !asks && len(subjects) == 0 {
		return d, err
	}
	if asks && e.Subject != "" && !slices.Contains(subjects, e.Subject) {
		subjects = append(slices.Clone(subjects), e.Subject)
	}
	known, err := f.read(ctx, e.Tenant, subjects)
	if err != nil {
		return d, err
	}
	for _, subject := range effects.Subjects() {
		p, found := known[subject]
		if !found {
			p = webhook.Profile{Tenant: e.Tenant, Subject: subject}
		}
		if p, err = effects.Apply(m.definitions, p); err != nil {
			return d, err
		}
		known[subject] = p
		d.profiles = append(d.profiles, p)
	}
	if asks {
		err = f.judge(ctx, &d, m, known[e.Subject])
	}
	return d, err
}

// asksProfile reports whether a subscription that matches asks what is known of
// the event's subject, in its filter or in its templates.
func (f *profiles) asksProfile(ctx context.Context, e webhook.Event, m matched) (asks bool, err error) {
	switch {
	case len(m.conditions) > 0 || m.asks:
		return true, nil
	case e.Subject == "":
		return false, nil
	case len(m.entries) > webhook.PlanInline: // whose versions are not read here
		return true, nil
	}
	err = f.versions.each(ctx, e.Tenant, m.entries, func(p planned) error {
		asks = asks || p.request.ReadsProfile() || p.trigger.ReadsProfile()
		return nil
	})
	return asks, err
}

// judge leaves out those whose conditions the profile does not meet, and adds those
// who get the event by it.
func (f *profiles) judge(ctx context.Context, d *decided, m matched, p webhook.Profile) error {
	view, err := m.definitions.ViewOf(p)
	if err != nil {
		return err
	}
	d.Profile = view.Attributes
	if len(m.conditions) == 0 && m.further == nil {
		return nil
	}
	env, err := m.definitions.Envelope(d.Event, view)
	if err != nil {
		return err
	}
	event, err := pattern.Decode(env)
	if err != nil {
		return fmt.Errorf("decode the event with its profile: %w", err)
	}
	if d.Plan.Entries = m.entries; len(m.conditions) > 0 {
		d.Plan.Entries = meeting(m, event)
	}
	return f.addFurther(ctx, d, m, event)
}

// addFurther adds those who get an event by the profile of its subject.
func (f *profiles) addFurther(ctx context.Context, d *decided, m matched, event *pattern.Event) (err error) {
	if m.further == nil {
		return nil
	}
	before := d.Plan.Entries
	if m.remembers { // none of them cancels anything
		d.Plan.Entries = nil
	}
	if d.Plan.Entries, err = m.further(ctx, event, slices.Clone(d.Plan.Entries)); err != nil {
		return err
	}
	if m.one != "" {
		d.Plan.Entries = slices.DeleteFunc(d.Plan.Entries, func(e webhook.PlanEntry) bool { return e.Subscription != m.one })
	}
	if m.remembers {
		added, err := f.remembered(ctx, d.Event, d.Plan.Entries)
		if err != nil {
			return err
		}
		d.Plan.Entries = inOrder(append(slices.Clone(before), added...))
	}
	return nil
}

// meeting are the entries whose conditions the event meets with its profile, and
// those that only cancel.
func meeting(m matched, event *pattern.Event) (entries []webhook.PlanEntry) {
	conditions := make(map[string][]condition, len(m.conditions))
	for _, c := range m.conditions {
		conditions[c.subscription] = append(conditions[c.subscription], c)
	}
	for _, entry := range m.entries {
		for _, c := range conditions[entry.Subscription] {
			if !entry.CancelsOnly && !entry.Costly {
				c.judge(&entry, event)
			}
		}
		if member := m.members[entry.Subscription]; !member {
			entry.Why = ""
		}
		if !entry.CancelsOnly || entry.Cancels != 0 || entry.Why != "" {
			entries = append(entries, entry)
		}
	}
	return entries
}

// judge notes in an entry what the condition makes of it.
func (c condition) judge(entry *webhook.PlanEntry, event *pattern.Event) {
	switch c.filter.Judge(event) {
	case pattern.Costly:
		entry.Costly = true
	case pattern.No:
		entry.CancelsOnly, entry.Asks, entry.Why = true, false, c.why
	}
}

// profileTries is how often an event is decided anew because others changed the
// profiles that it changes.
const profileTries = 25

// create stores the event with what was decided. Others may change the profiles
// meanwhile: then it is decided anew.
func (f *profiles) create(ctx context.Context, e webhook.Event, m matched) (stored webhook.StoredEvent, created bool, err error) {
	if m.definitions != nil && e.Subject != "" {
		release, err := f.locks.take(ctx, webhook.StateRef{Tenant: e.Tenant, Key: e.Subject})
		if err != nil {
			return stored, false, err
		}
		defer release()
	}
	for try := range profileTries {
		if err := f.crowds.Pause(ctx, try); err != nil {
			return stored, false, err
		}
		d, err := f.withProfiles(ctx, e, m)
		if err != nil {
			return stored, false, err
		}
		if len(d.Plan.Entries) > webhook.PlanInline {
			// A repeat must not write over the pages of what was decided.
			if stored, err := f.Store.Event(ctx, e.Tenant, e.Source, e.ID); !errors.Is(err, webhook.ErrNotFound) {
				return stored, false, err
			}
			if d.Plan, err = f.pages.store(ctx, e, d.Plan.Entries); err != nil {
				return stored, false, fmt.Errorf("store plan: %w", err)
			}
		} else {
			d.Plan.Total = len(d.Plan.Entries)
			if err := f.grouped(ctx, m.groups, e, d.Plan.Entries); err != nil {
				return stored, false, fmt.Errorf("group: %w", err)
			}
		}
		stored, created, err = f.Store.CreateEvent(ctx, d.StoredEvent, d.profiles...)
		if len(d.profiles) == 0 || !errors.Is(err, webhook.ErrConflict) && !errors.Is(err, webhook.ErrBusy) {
			return stored, created, err
		}
	}
	return stored, false, crowd.ErrContended
}

// profileOf reads what is known of an event's subject now, and returns why a
// subscriber does not get the event by it; "" if it does.
func (f *profiles) profileOf(ctx context.Context, s *subscriber, e webhook.Event, c *campaign.Campaign) (webhook.Reason, error) {
	m := matched{entries: []webhook.PlanEntry{{Subscription: s.ID}}, members: map[string]bool{s.ID: true}}
	if s.profile != nil {
		m.conditions = append(m.conditions, condition{s.ID, s.profile, webhook.ReasonProfile})
	}
	if c != nil && c.Audience != nil {
		m.conditions = append(m.conditions, condition{s.ID, c.Audience, webhook.ReasonAudience})
	}
	if len(m.conditions) == 0 {
		return "", nil
	}
	var err error
	if m.definitions, err = f.define(ctx, e.Tenant); err != nil {
		return "", err
	}
	entries, err := f.metNow(ctx, e, m)
	if err != nil {
		return "", err
	}
	return entries[0].Why, nil
}

// metNow leaves out those whose conditions the profile does not meet as it is now.
func (f *profiles) metNow(ctx context.Context, e webhook.Event, m matched) ([]webhook.PlanEntry, error) {
	if len(m.conditions) == 0 && m.further == nil {
		return m.entries, nil
	}
	var subjects []string
	if e.Subject != "" {
		subjects = []string{e.Subject}
	}
	known, err := f.read(ctx, e.Tenant, subjects)
	if err != nil {
		return nil, err
	}
	d := decided{StoredEvent: webhook.StoredEvent{Event: e}}
	err = f.judge(ctx, &d, m, known[e.Subject])
	return d.Plan.Entries, err
}

// read reads those that exist, by subject.
func (f *profiles) read(ctx context.Context, tenant string, subjects []string) (map[string]webhook.Profile, error) {
	if len(subjects) == 0 {
		return map[string]webhook.Profile{}, nil
	}
	known, err := f.Store.Profiles(ctx, tenant, subjects)
	if err != nil {
		return nil, fmt.Errorf("read profiles: %w", err)
	}
	return known, nil
}

// define returns a tenant's definitions as they are now.
func (f *profiles) define(ctx context.Context, tenant string) (*people.Definitions, error) {
	a, err := f.audience.view().of(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return a.defined(), nil
}
