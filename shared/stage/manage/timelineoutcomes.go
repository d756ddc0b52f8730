package manage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/webhook"
)

// outcomeView is what a subscription made of an event, in codes and in words.
type outcomeView struct {
	Subscription string        `json:"subscription"`
	Outcome      outcome       `json:"outcome"`
	Text         string        `json:"text"`
	Reason       *string       `json:"reason"`
	Until        *httpapi.Time `json:"until,omitempty"`    // when once_per or cap has room again, or what it waits for comes
	Count        *int          `json:"count,omitempty"`    // events that the trigger had counted
	Delivery     *string       `json:"delivery,omitempty"` // its id; absent if there is none
	Waiting      *string       `json:"waiting,omitempty"`
	StatusCode   *int          `json:"status_code,omitempty"` // of the newest attempt
	Request      *requestView  `json:"request,omitempty"`     // as sent, stars for its secrets
}

// outcome sums up what became of an event at a subscription.
type outcome string

const (
	outcomeSent    outcome = "sent"
	outcomeFailed  outcome = "failed"
	outcomeWaiting outcome = "waiting"
	outcomeSkipped outcome = "skipped"
)

// matched tells of the subscriptions in the event's plan.
func (t *teller) matched(ctx context.Context, e webhook.StoredEvent, decoded *pattern.Event, entries []webhook.PlanEntry) ([]outcomeView, error) {
	deliveries, err := t.plans.deliveries(ctx, e, entries)
	if err != nil {
		return nil, err
	}
	views := make([]outcomeView, 0, len(deliveries))
	for _, d := range deliveries {
		v := outcomeView{Subscription: d.Subscription}
		switch {
		case d.Rev == 0 && e.Expunged:
			v.skip(trigger.Decision{Reason: webhook.ReasonExpired}, nil)
		case d.Rev == 0:
			err = t.decided(ctx, e, decoded, d, &v)
		default:
			v.delivered(d)
		}
		if err == nil && (d.Rev > 0 && v.Outcome != outcomeSkipped) {
			v.Request, err = t.request(ctx, e, d)
		}
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return views, nil
}

// away tells of the subscriptions that their campaigns, or the profile, kept from
// the event when it came.
func away(entries []webhook.PlanEntry) []outcomeView {
	var views []outcomeView
	for _, k := range kept(entries[:min(len(entries), maxOutcomes)]) {
		why := string(k.Reason)
		views = append(views, outcomeView{Subscription: k.Subscription, Outcome: outcomeSkipped, Text: k.Detail, Reason: &why})
	}
	return views
}

// decided tells of a delivery that is not stored: its trigger has skipped the
// event, or it is still to come.
func (t *teller) decided(ctx context.Context, e webhook.StoredEvent, decoded *pattern.Event, d webhook.Delivery, v *outcomeView) error {
	why, err := t.plans.outcome(ctx, e, decoded, &d, t.plans.rulesOf(ctx, e.Tenant))
	if err != nil {
		return err
	}
	if why.Reason == "" {
		v.delivered(d)
		return nil
	}
	s, err := t.versions.of(ctx, webhook.VersionRef{Tenant: e.Tenant, ID: d.Subscription, Version: d.Version})
	if err != nil {
		return err
	}
	var spec *trigger.Spec
	if s != nil {
		if spec, err = trigger.Compile(s.Subscription); err != nil {
			return err
		}
	}
	v.skip(why, spec)
	v.Until = t.plans.until(why)
	return nil
}

// request is what was sent, as it was rendered: the body from the same event and
// version gives the same bytes.
func (t *teller) request(ctx context.Context, e webhook.StoredEvent, d webhook.Delivery) (*requestView, error) {
	if e.Expunged || e.Data == nil && t.retained.payloadExpired(e.AcceptedAt) {
		return nil, nil
	}
	s, err := t.versions.of(ctx, webhook.VersionRef{Tenant: e.Tenant, ID: d.Subscription, Version: d.Version})
	if err != nil || s == nil {
		return nil, err
	}
	var trial webhook.Trial
	occasion := render.Occasion{Delivery: d.ID, Count: d.Count, Attempt: d.Attempts}
	if d.Last != nil {
		occasion.At = d.Last.StartedAt
	}
	trial.Target, trial.Content, err = s.request.Render(render.NewEvent(e.Event), s.Subscription, occasion)
	var skip *render.Skip
	if errors.As(err, &skip) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("render for %s: %w", d.Subscription, err)
	}
	return redacted(s.Subscription, trial), nil
}

// missed tells of the subscriptions that ask for the event's type and did not get
// it, by what their filters say now.
func (t *teller) missed(e webhook.StoredEvent, entries []webhook.PlanEntry) (views []outcomeView, err error) {
	if e.Expunged || e.Type == webhook.SendType || e.Plan.Pages > 0 {
		return nil, nil // of a send, one alone gets it
	}
	var decoded *pattern.Event
	for _, a := range t.asking {
		planned := slices.ContainsFunc(entries, func(entry webhook.PlanEntry) bool {
			return entry.Subscription == a.ID && (!entry.CancelsOnly || entry.Why != "")
		})
		if planned || !pattern.TypesMatch(a.Types, e.Type) {
			continue
		}
		if decoded == nil {
			if decoded, err = t.profiled(e); err != nil {
				return nil, err
			}
		}
		v, err := t.miss(a, e, decoded)
		if err != nil {
			return nil, fmt.Errorf("subscription %s: %w", a.ID, err)
		}
		views = append(views, v)
		if len(views) == maxOutcomes {
			break
		}
	}
	return views, nil
}

// profiled decodes an event with the profile as it was then, or as it is now if
// nobody had asked for it.
func (t *teller) profiled(e webhook.StoredEvent) (*pattern.Event, error) {
	view := t.known
	if e.Profile != nil {
		view = people.View{Attributes: e.Profile}
	}
	env, err := t.defined.Envelope(e.Event, view)
	if err != nil {
		return nil, err
	}
	return pattern.Decode(env)
}

// miss tells why a subscription did not get an event.
func (t *teller) miss(a asking, e webhook.StoredEvent, decoded *pattern.Event) (outcomeView, error) {
	v := outcomeView{Subscription: a.ID, Outcome: outcomeSkipped}
	why := webhook.Reason("")
	if a.filter != nil {
		filter, err := a.filter()
		if err != nil {
			return v, err
		}
		why = missesFilter(filter, decoded)
	}
	switch {
	case why != "":
		v.Text = missed(webhook.Subscription{Filter: a.Filter}, decoded, httpapi.Manage)
	case e.History != 0:
		why, v.Text = webhook.ReasonHistory, inWords[webhook.ReasonHistory]
	default:
		why, v.Text = webhook.ReasonChanged, inWords[webhook.ReasonChanged]
	}
	v.Reason = reason(why)
	return v, nil
}

// readVersions reads and compiles each version once.
type readVersions struct {
	store Subscriptions
	mu    sync.Mutex
	known map[webhook.VersionRef]*readVersion
}

// readVersion is a version of a subscription with its request.
type readVersion struct {
	webhook.Subscription
	request *render.Request
}

// of returns a version; nil if it is not kept any more.
func (v *readVersions) of(ctx context.Context, ref webhook.VersionRef) (*readVersion, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if s, ok := v.known[ref]; ok {
		return s, nil
	}
	if v.known == nil {
		v.known = map[webhook.VersionRef]*readVersion{}
	}
	subs, err := v.store.Versions(ctx, []webhook.VersionRef{ref})
	if errors.Is(err, webhook.ErrNotFound) {
		v.known[ref] = nil
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read subscription %s: %w", ref.ID, err)
	}
	request, faults := render.Compile(subs[0])
	if len(faults) > 0 {
		return nil, fmt.Errorf("subscription %s: %s: %s", ref.ID, faults[0].Field, faults[0].Detail)
	}
	v.known[ref] = &readVersion{subs[0], request}
	return v.known[ref], nil
}
