package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/webhook"
)

// previews shows what an event would lead to, and tries it.
type previews struct {
	*Handler
	versions    *versions
	wishes      *wishes
	profiles    *profiles
	definitions *definitions
	plans       *plans
}

func (h *previews) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: post, Pattern: tenantPath + "/preview", Roles: portal, Handle: h.preview},
		{Method: post, Pattern: tenantPath + "/preview/batch", Roles: manage, Handle: h.batch},
		{Method: post, Pattern: subscriptionPath + "/preview", Roles: portal, Handle: h.preview},
		{Method: post, Pattern: subscriptionPath + "/test", Roles: portal, Handle: h.test, Within: httpapi.Longest},
	}
}

// Tester sends one request that is stored nowhere; see delivery's Deliverer.
type Tester interface {
	Test(ctx context.Context, s webhook.Subscription, r webhook.Trial) (webhook.Attempt, error)
}

// previewView says what an event would lead to now.
type previewView struct {
	Matched bool           `json:"matched"`
	Reason  *string        `json:"reason"`            // the rule that said no
	Detail  string         `json:"detail,omitempty"`  // the condition of the filter that failed, or why nothing can be rendered
	Until   *httpapi.Time  `json:"until,omitempty"`   // when once_per or cap has room again
	Count   *int           `json:"count,omitempty"`   // the occasion's, if the trigger counts
	Due     *time.Time     `json:"due,omitempty"`     // when a delay would be over
	Held    *string        `json:"held,omitempty"`    // what the delivery would wait for; see held
	Cancels []canceledView `json:"cancels,omitzero"`  // of an event that meets a cancel clause: what it would cancel
	Emit    *emittedView   `json:"emit,omitempty"`    // the event that would be made
	Request *requestView   `json:"request"`           // as if the trigger fired; null if it cannot be rendered
	Text    string         `json:"text"`              // all that in words: "fourth of five"
	Attempt *attemptView   `json:"attempt,omitempty"` // of a test
}

// requestView is a rendered request, stars for its secrets.
type requestView struct {
	Method      string            `json:"method"`
	URL         string            `json:"url"`
	Headers     map[string]string `json:"headers"`
	ContentType string            `json:"content_type"`
	Body        string            `json:"body"`
}

// preview answers for a draft, or for a subscription of the path.
func (h *previews) preview(r *httpapi.Request) (httpapi.Response, error) {
	s, e, err := h.asked(r, false)
	if err != nil {
		return httpapi.Response{}, err
	}
	view, _, err := h.look(r, s, e)
	return httpapi.OK(view), err
}

// test previews and, if there is a request, sends it, whatever the rules say.
func (h *previews) test(r *httpapi.Request) (httpapi.Response, error) {
	s, e, err := h.asked(r, true)
	if err != nil {
		return httpapi.Response{}, err
	}
	view, trial, err := h.look(r, s, e)
	if err != nil || trial == nil || !s.Calls() {
		return httpapi.OK(view), err
	}
	if s.Pull {
		return httpapi.Response{}, httpapi.CannotBeTested.Problem("This subscription has no url, since its deliveries are pulled. POST /preview shows the request. To see it signed, publish an event and pull.")
	}
	end, err := h.beginTest(r.Context(), r.Tenant)
	if err != nil {
		return httpapi.Response{}, err
	}
	defer end()
	trial.Elsewhere = e.elsewhere != ""
	attempt, err := h.Tester.Test(r.Context(), s, *trial)
	var skip *render.Skip
	if errors.As(err, &skip) {
		view.Reason, view.Detail = reason(skip.Reason), skip.Detail
		return httpapi.OK(view), nil
	}
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("test subscription %s: %w", s.ID, err)
	}
	shown := viewAttempt(attempt)
	view.Attempt = &shown
	return httpapi.OK(view), nil
}

// try renders an event as if the trigger fired, after so many occurrences. Skip
// says why it cannot be rendered.
type try func(count int) (t webhook.Trial, skip *render.Skip, err error)

func trying(s webhook.Subscription, e webhook.Event, now time.Time) (try, error) {
	request, faults := render.Compile(s)
	if len(faults) > 0 {
		return nil, fmt.Errorf("%s: %s", faults[0].Field, faults[0].Detail)
	}
	return tryOf(request, s, e, now), nil
}

func tryOf(request *render.Request, s webhook.Subscription, e webhook.Event, now time.Time) try {
	view, id := render.NewEvent(e), webhook.DeliveryID(e.Tenant, e.Key(), e.AcceptedAt, s.ID, "test")
	return func(count int) (t webhook.Trial, skip *render.Skip, err error) {
		t.Event, t.Delivery = e.ID, id
		if s.Emits(webhook.EmitOnFire) {
			var made webhook.Event
			if made, err = request.Emit(view, s, render.Occasion{Delivery: id, Count: count}, nil, e.AcceptedAt); err == nil {
				t.Emitted = &made
			}
		}
		if err == nil && s.Calls() {
			t.Target, t.Content, err = request.Render(view, s, render.Occasion{Delivery: id, Count: count, At: now})
		}
		if errors.As(err, &skip) {
			err = nil
		}
		return t, skip, err
	}
}

// ready is try as the trigger asks it, before anything is claimed.
func (t try) ready(count int) (webhook.Reason, error) {
	_, skip, err := t(count)
	if skip != nil {
		return skip.Reason, err
	}
	return "", err
}

// emittedView is an event that a subscription would make.
type emittedView struct {
	Type    string          `json:"type"`
	Subject *string         `json:"subject"`
	Data    json.RawMessage `json:"data"`
}

func viewEmitted(e *webhook.Event) *emittedView {
	if e == nil {
		return nil
	}
	return &emittedView{e.Type, orNull(e.Subject), e.Data}
}

func redacted(s webhook.Subscription, t webhook.Trial) *requestView {
	view := &requestView{
		Method: t.Content.Method, URL: render.Redact(t.Target.URL), ContentType: t.Content.ContentType,
		Headers: map[string]string{}, Body: render.Redact(t.Content.Body),
	}
	for _, header := range t.Target.Headers {
		view.Headers[header.Name] = render.Redact(header.Value)
	}
	if s.Auth != nil && s.Auth.Header != "" {
		view.Headers[s.Auth.Header] = render.Stars
	}
	if s.Signature != nil {
		for _, name := range s.Signature.Headers {
			view.Headers[name] = render.Stars
		}
	}
	return view
}

// reason is null for none.
func reason(r webhook.Reason) *string {
	if r == "" {
		return nil
	}
	text := string(r)
	return &text
}
