package manage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/publication"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/webhook"
)

// Tester sends one request that is stored nowhere; see delivery's Deliverer.
type Tester interface {
	Test(ctx context.Context, s webhook.Subscription, r webhook.Trial) (webhook.Attempt, error)
}

// previewView says what an event would lead to now.
type previewView struct {
	Matched bool          `json:"matched"`
	Reason  *string       `json:"reason"`            // the rule that said no
	Detail  string        `json:"detail,omitempty"`  // the condition of the filter that failed, or why nothing can be rendered
	Until   *httpapi.Time `json:"until,omitempty"`   // when once_per or cap has room again
	Count   *int          `json:"count,omitempty"`   // the occasion's, if the trigger counts
	Due     *time.Time    `json:"due,omitempty"`     // when a delay would be over
	Held    *string       `json:"held,omitempty"`    // what the delivery would wait for; see held
	Request *requestView  `json:"request"`           // as if the trigger fired; null if it cannot be rendered
	Attempt *attemptView  `json:"attempt,omitempty"` // of a test
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
func (h *Handler) preview(r *httpapi.Request) (httpapi.Response, error) {
	s, e, err := h.asked(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	view, _, err := h.look(r, s, e)
	return httpapi.OK(view), err
}

// test previews and, if there is a request, sends it, whatever the rules say.
func (h *Handler) test(r *httpapi.Request) (httpapi.Response, error) {
	s, e, err := h.asked(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	view, trial, err := h.look(r, s, e)
	if err != nil || trial == nil {
		return httpapi.OK(view), err
	}
	end, err := h.beginTest(r.Context(), r.Tenant)
	if err != nil {
		return httpapi.Response{}, err
	}
	defer end()
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

// asked reads {["event","subscription"]} and the subscription that it is about,
// whose sample stands for the event if none is given. Of a stored subscription
// nothing need be said at all.
func (h *Handler) asked(r *httpapi.Request) (s webhook.Subscription, e webhook.Event, err error) {
	draft := r.PathValue("id") == ""
	read := r.OptionalJSON
	if draft {
		read = r.JSON
	}
	body, err := read()
	if err != nil {
		return s, e, err
	}
	if body.Kind() != strictjson.Object {
		return s, e, httpapi.Invalid(httpapi.FieldError{Field: "body", Detail: "want an object"})
	}
	var faults httpapi.Faults
	given := map[string]strictjson.Value{}
	for name, v := range body.Members() {
		if name != "event" && (name != "subscription" || !draft) {
			faults.Unknown("", name, []string{"event", "subscription"})
		}
		given[name] = v
	}
	if given["event"] != nil {
		if e, err = h.given(r, given["event"], &faults); err != nil {
			return s, e, err
		}
	}
	if draft && given["subscription"] == nil {
		faults.Add("subscription", "required")
		if given["event"] == nil {
			faults.Add("event", "required")
		}
	}
	if faults.Any() {
		return s, e, faults.Err()
	}
	if draft {
		s, err = h.draft(r, given["subscription"])
	} else {
		s, err = h.current(r.Context(), ref(r))
	}
	if err == nil && given["event"] == nil {
		e, err = h.sample(r.Context(), s)
	}
	return s, e, err
}

// given reads an event whose data, if it has none, is the sample of its type.
func (h *Handler) given(r *httpapi.Request, v strictjson.Value, faults *httpapi.Faults) (webhook.Event, error) {
	members := map[string]strictjson.Value{}
	for name, member := range v.Members() {
		members[name] = member
	}
	typ, ok := members["type"].Text()
	if !ok || members["data"] != nil || members["specversion"] != nil {
		return publication.One(v, r.Tenant, h.now(), faults), nil
	}
	data, err := h.sampleOf(r.Context(), r.Tenant, typ)
	switch {
	case err != nil:
		return webhook.Event{}, err
	case data == nil:
		faults.Add("event.data", "required: the type has no sample that could stand for it")
		return webhook.Event{}, nil
	}
	members["data"] = strictjson.Value(data)
	with := map[string]json.RawMessage{}
	for name, member := range members {
		with[name] = json.RawMessage(member)
	}
	return publication.One(httpapi.Encode(with), r.Tenant, h.now(), faults), nil
}

// sampleOf returns the sample of a type, nil if it has none.
func (h *Handler) sampleOf(ctx context.Context, tenant, typ string) (json.RawMessage, error) {
	if attribute.Type(typ) != "" {
		return nil, nil
	}
	found, err := h.Store.EventTypes(ctx, tenant, []string{typ})
	if err != nil {
		return nil, fmt.Errorf("read an event type: %w", err)
	}
	return found[typ].Sample, nil
}

// sample makes an event of the sample of the one type that s subscribes to.
func (h *Handler) sample(ctx context.Context, s webhook.Subscription) (e webhook.Event, err error) {
	var faults httpapi.Faults
	if len(s.Types) == 1 && !strings.HasSuffix(s.Types[0], "*") {
		data, err := h.sampleOf(ctx, s.Tenant, s.Types[0])
		if err != nil {
			return e, err
		}
		if data != nil {
			text := httpapi.Encode(map[string]any{"type": s.Types[0], "data": data})
			return publication.One(text, s.Tenant, h.now(), &faults), faults.Err()
		}
	}
	faults.Add("event", `required, like {"event": {"type": "order.paid", "data": {}}}, unless the subscription has one exact type and that has a sample`)
	return e, faults.Err()
}

// draft reads a subscription that is stored nowhere.
func (h *Handler) draft(r *httpapi.Request, v strictjson.Value) (webhook.Subscription, error) {
	if v.Kind() != strictjson.Object {
		return webhook.Subscription{}, httpapi.Invalid(httpapi.FieldError{Field: "subscription", Detail: "want an object"})
	}
	wish, err := subscription.Read(v, subscription.Default(), h.Destinations)
	if err != nil {
		return webhook.Subscription{}, within("subscription", err)
	}
	s := wish.Subscription
	s.Tenant, s.ID = r.Tenant, wish.ID
	if s.ID == "" {
		s.ID = "draft"
	}
	s, _, err = h.complete(r, webhook.Subscription{}, s, wish)
	return s, within("subscription", err)
}

// within puts the fields of a problem behind that of the object which was read.
func within(field string, err error) error {
	var problem *httpapi.Problem
	if !errors.As(err, &problem) {
		return err
	}
	for i := range problem.Errors {
		problem.Errors[i].Field = field + "." + problem.Errors[i].Field
	}
	return problem
}

// look asks every rule in its order, and renders whatever they say. The trial
// is nil if nothing can be rendered.
func (h *Handler) look(r *httpapi.Request, s webhook.Subscription, e webhook.Event) (previewView, *webhook.Trial, error) {
	d, err := h.match(r, s, e)
	if err != nil {
		return previewView{}, nil, fmt.Errorf("preview: %w", err)
	}
	view := previewView{Matched: d.Reason == "", Reason: reason(d.Reason), Until: h.until(d)}
	if d.Reason == webhook.ReasonFilter {
		view.Detail = missed(s, e, r.Principal.Role)
	}
	if d.Count > 0 {
		view.Count = &d.Count
	}
	if d.Do == trigger.Wait {
		view.Due = &d.Due
	}
	if view.Matched {
		if view.Held, err = h.held(r.Context(), s); err != nil {
			return previewView{}, nil, fmt.Errorf("preview: %w", err)
		}
	}
	trial, err := trial(s, e, d.Count)
	var skip *render.Skip
	if errors.As(err, &skip) {
		if view.Matched {
			view.Matched, view.Reason = false, reason(skip.Reason)
		}
		view.Detail = cmp.Or(view.Detail, skip.Detail)
		return view, nil, nil
	}
	if err != nil {
		return previewView{}, nil, fmt.Errorf("preview: %w", err)
	}
	view.Request = redacted(s, trial)
	return view, &trial, nil
}

// match returns what would be decided: the reason of the first rule that says
// no, "" if none does, and how often the key would have occurred.
func (h *Handler) match(r *httpapi.Request, s webhook.Subscription, e webhook.Event) (d trigger.Decision, err error) {
	if !pattern.TypesMatch(s.Types, e.Type) {
		return trigger.Decision{Reason: webhook.ReasonType}, nil
	}
	decoded, err := trigger.DecodeEvent(e)
	if err != nil {
		return d, err
	}
	if s.Filter != nil {
		filter, err := pattern.Compile(s.Filter, "filter")
		if err != nil {
			return d, err
		}
		switch filter.Judge(decoded) {
		case pattern.No:
			return trigger.Decision{Reason: webhook.ReasonFilter}, nil
		case pattern.Costly:
			return trigger.Decision{Reason: webhook.ReasonFilterCost}, nil
		}
	}
	spec, err := trigger.Compile(s)
	if err != nil || spec == nil {
		return d, err
	}
	var state trigger.Reader = h.Store
	if r.Principal.Role == httpapi.Portal {
		state = noState{} // what is known of a key only manage may read
	}
	return spec.Evaluate(r.Context(), state, s, e, decoded, h.now())
}

// maxMissed is how much is shown of a condition, and of what was found.
const maxMissed = 200

// missed says which condition of the filter failed. What was found is not for
// portal keys: the event may be a sample, which they may not see.
func missed(s webhook.Subscription, e webhook.Event, role httpapi.Role) string {
	decoded, err := trigger.DecodeEvent(e)
	if err != nil {
		return ""
	}
	miss := pattern.Why(s.Filter, decoded)
	if miss.Field == "" {
		return "filter: each condition is met, but not all of them by one element of an array"
	}
	want := "filter." + miss.Field + ": want " + strictjson.Clip(miss.Want, maxMissed)
	switch {
	case role == httpapi.Portal:
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

// trial renders as if the trigger fired, after so many occurrences.
func trial(s webhook.Subscription, e webhook.Event, count int) (webhook.Trial, error) {
	request, faults := render.Compile(s)
	if len(faults) > 0 {
		return webhook.Trial{}, fmt.Errorf("%s: %s", faults[0].Field, faults[0].Detail)
	}
	t := webhook.Trial{Event: e.ID, Delivery: webhook.DeliveryID(e.Tenant, e.Key(), e.AcceptedAt, s.ID, "test")}
	var err error
	t.Target, t.Content, err = request.Render(render.NewEvent(e), s, render.Occasion{Delivery: t.Delivery, Count: count})
	return t, err
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
