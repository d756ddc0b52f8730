package manage

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/people/campaign"
	"github.com/postino/postino/shared/webhook"
)

// look asks every rule in its order, and renders whatever they say. The trial
// is nil if nothing can be rendered.
func (h *previews) look(r *httpapi.Request, s webhook.Subscription, asked previewed) (previewView, *webhook.Trial, error) {
	spec, c, err := h.rulesOf(r.Context(), r.Tenant)(s)
	if err != nil {
		return previewView{}, nil, fmt.Errorf("preview: %w", err)
	}
	e, decoded, err := h.profiled(r, s, asked, spec.ReadsProfile() || c != nil && c.ReadsProfile())
	if err != nil {
		return previewView{}, nil, fmt.Errorf("preview: %w", err)
	}
	try, err := trying(s, e, h.now())
	if err != nil {
		return previewView{}, nil, fmt.Errorf("preview: %w", err)
	}
	view, count, err := h.judged(r, joined{s, spec, c}, e, decoded, try)
	if err == nil && view.Matched && view.Held == nil {
		if view.Held, err = h.held(r.Context(), s); view.Held != nil {
			view.Text += "; it " + waits[webhook.Waiting(*view.Held)]
		}
	}
	if err != nil {
		return previewView{}, nil, fmt.Errorf("preview: %w", err)
	}
	trial, skip, err := try(count)
	switch {
	case err != nil:
		return previewView{}, nil, fmt.Errorf("preview: %w", err)
	case skip == nil:
		if view.Emit = viewEmitted(trial.Emitted); s.Calls() {
			view.Request = redacted(s, trial)
		}
		return view, &trial, nil
	case view.Matched:
		view.Matched, view.Reason, view.Text = false, reason(skip.Reason), inWords[skip.Reason]
	}
	view.Detail = cmp.Or(view.Detail, skip.Detail)
	return view, nil, nil
}

// judged says what would be decided, and how often the key would have occurred.
// What is known of a key only manage may read.
func (h *previews) judged(r *httpapi.Request, s joined, e webhook.Event, decoded *pattern.Event, try try) (view previewView, count int, err error) {
	asks, err := matcherOf(s.Subscription)
	if err != nil {
		return view, 0, err
	}
	m := asks.match(decoded)
	spec, detail := s.spec, ""
	if m.reason == "" && s.Campaign != "" && r.Principal.Role != httpapi.Portal { // to which profiles are nobody's
		m.reason, detail = h.keptBy(s.campaign, decoded)
	}
	d, asked := trigger.Decision{Reason: m.reason}, trigger.Asked{Subscription: s.Subscription, Event: e, Decoded: decoded, Cancels: m.cancels}
	var known trigger.Reader = h.Store
	if r.Principal.Role == httpapi.Portal {
		known = noState{}
	}
	if spec != nil && m.reason == "" {
		if d, err = spec.Evaluate(r.Context(), known, asked, h.now(), try.ready); err != nil {
			return view, 0, err
		}
	}
	view = h.viewDecision(d, spec)
	view.Detail = cmp.Or(detail, asWords(d))
	if m.reason == webhook.ReasonFilter || m.reason == webhook.ReasonProfile {
		view.Detail = missed(s.Subscription, decoded, r.Principal.Role)
	}
	if m.cancels != 0 && r.Principal.Role != httpapi.Portal {
		view.Cancels, err = h.cancels(r.Context(), spec, asked)
	}
	return view, d.Count, err
}

func (h *previews) viewDecision(d trigger.Decision, spec *trigger.Spec) previewView {
	view := previewView{Matched: d.Reason == "", Reason: reason(d.Reason), Text: foretold(d, spec), Until: h.plans.until(d)}
	if d.Count > 0 {
		view.Count = &d.Count
	}
	if d.Do == trigger.Wait {
		view.Due = &d.Due
	}
	if d.Quiet {
		view.Held = waiting(webhook.WaitQuiet)
	}
	return view
}

// joined is a subscription with what is asked for it: its trigger, and its campaign.
type joined struct {
	webhook.Subscription
	spec     *trigger.Spec // nil: nothing
	campaign *campaign.Campaign
}

// maxMissed is how much is shown of a condition, and of what was found.
const maxMissed = 200

// missed says which condition of the filter failed. What was found is not for
// portal keys: the event may be a sample, which they may not see.
func missed(s webhook.Subscription, e *pattern.Event, role httpapi.Role) string {
	return missedIn("filter", s.Filter, e, role != httpapi.Portal)
}

// missedIn says which condition of a pattern in a field failed, and perhaps what was
// found.
func missedIn(field string, filter []byte, e *pattern.Event, found bool) string {
	miss := pattern.Why(filter, e)
	if miss.Field == "" {
		return field + ": each condition matches, but no element of the array matches all of them"
	}
	want := field + "." + miss.Field + ": want " + strictjson.Clip(miss.Want, maxMissed)
	switch {
	case !found:
		return want
	case strings.HasSuffix(miss.Field, "$or"):
		return want + ", and the event meets none of these"
	}
	return want + ", found " + cmp.Or(strictjson.Clip(miss.Found, maxMissed), "nothing")
}

// noState knows nothing of any key.
type noState struct{}

// TriggerState returns parts that are not stored.
func (noState) TriggerState(_ context.Context, refs []webhook.StateRef) ([]webhook.StateItem, error) {
	items := make([]webhook.StateItem, len(refs))
	for i, ref := range refs {
		items[i].StateRef = ref
	}
	return items, nil
}
