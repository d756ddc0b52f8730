package render

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/postino/postino/shared/language/liquid"
	"github.com/postino/postino/shared/webhook"
)

// Skip is returned when an event and a request make no callback: the delivery
// is canceled for that reason.
type Skip struct {
	Reason webhook.Reason
	Detail string // in words for the subscription's owner
	public string // Detail without the event's data; "" if it holds nothing of it
	placed bool   // Detail begins with a position in a template
}

// Unusable is the Skip for a secret that a subscription names and cannot use,
// given what was found of it; nil if it can.
func Unusable(name string, s webhook.Subscription, secret webhook.NamedSecret, found bool) *Skip {
	switch {
	case s.Portal && !secret.Portal: // whether there is one is not for the customer to know
		return &Skip{Reason: webhook.ReasonMissingSecret, Detail: "there is no secret " + name + " that a portal key can use"}
	case !found:
		return &Skip{Reason: webhook.ReasonMissingSecret, Detail: "there is no secret " + name}
	}
	return nil
}

// Kept returns the detail as far as it can be kept with a delivery: without
// anything of the event's data, which the words of a template may quote.
func (s *Skip) Kept() string { return cmp.Or(s.public, s.Detail) }

// Error gives reason and detail.
func (s *Skip) Error() string { return fmt.Sprintf("%s: %s", s.Reason, s.Detail) }

// Event is an event as templates see it. It is decoded once for all
// subscriptions, and only if one of them has a template. It is safe for
// concurrent use.
type Event struct {
	event webhook.Event
	vars  func() (map[string]liquid.Value, error)

	standard, cloud once // the bodies that need no template
}

// once is a text that is made when it is first asked for.
type once struct {
	sync.Once
	text string
}

func (o *once) get(e webhook.Event, make func(webhook.Event) []byte) string {
	o.Do(func() { o.text = string(make(e)) })
	return o.text
}

// NewEvent makes an event ready for rendering.
func NewEvent(e webhook.Event) *Event {
	return &Event{event: e, vars: sync.OnceValues(func() (map[string]liquid.Value, error) { return eventVariables(e) })}
}

// Depth is how many events led to this one by emit.
func (e *Event) Depth() uint8 { return e.event.Depth }

// eventVariables decodes an event. Its data was checked when it was published, so
// an error is a fault of ours.
func eventVariables(e webhook.Event) (map[string]liquid.Value, error) {
	data, err := decode(e.Data)
	if err != nil {
		return nil, fmt.Errorf("decode data: %w", err)
	}
	extensions, err := decode(e.Extensions)
	if err != nil {
		return nil, fmt.Errorf("decode extensions: %w", err)
	}
	profile, err := decode(e.Profile)
	if err != nil {
		return nil, fmt.Errorf("decode profile: %w", err)
	}
	subject := liquid.Null
	if e.Subject != "" {
		subject = liquid.String(e.Subject)
	}
	envelope := liquid.Object(
		liquid.Member{Name: "id", Value: liquid.String(e.ID)},
		liquid.Member{Name: "source", Value: liquid.String(e.Source)},
		liquid.Member{Name: "type", Value: liquid.String(e.Type)},
		liquid.Member{Name: "subject", Value: subject},
		liquid.Member{Name: "time", Value: liquid.String(webhook.FormatTime(e.Time))},
		liquid.Member{Name: "data", Value: data},
		liquid.Member{Name: "extensions", Value: extensions},
	)
	return map[string]liquid.Value{
		"event": envelope, "data": data, "subject": subject, profileRoot: profile,
		"now": liquid.String(webhook.FormatTime(e.AcceptedAt)),
	}, nil
}

func decode(document []byte) (liquid.Value, error) {
	if document == nil {
		return liquid.Null, nil
	}
	return liquid.Decode(document)
}

// Occasion is what a render knows beside event and subscription.
type Occasion struct {
	Delivery string // id of the delivery
	Count    int    // how often the trigger's key has occurred; 0 without a count

	Attempt int       // its number; 0 is the first
	At      time.Time // of that attempt; zero is when the event was accepted
}

// attempting has the scope see the attempt, until it is told to forget: what else is
// rendered is the same in all attempts.
func (s *scope) attempting(e webhook.Event, o Occasion) (forget func()) {
	when := o.At
	if when.IsZero() {
		when = e.AcceptedAt
	}
	at := liquid.String(webhook.FormatTime(when))
	s.Vars[attemptRoot] = liquid.Object(liquid.Member{Name: "number", Value: liquid.Int(int64(max(1, o.Attempt)))}, liquid.Member{Name: "time", Value: at})
	s.Vars[sentAt] = at
	return func() {
		delete(s.Vars, attemptRoot)
		delete(s.Vars, sentAt)
	}
}

// deliveries is the namespace of delivery.uuid: subscribers that want a UUID
// of a delivery get the version 5 of its id in here.
var deliveries = uuid.MustParse("6f1c8f7e-3d43-5a0b-9d0e-6a1f0c7d9b52")

// scope is one delivery being rendered, within one budget.
type scope struct {
	liquid.Scope
}

// limits of one delivery's renders together: the largest body, and beside it
// the url and the headers.
var limits = liquid.Limits{Output: webhook.MaxBodySize + 64<<10}

func newScope(e *Event, s webhook.Subscription, o Occasion) (*scope, error) {
	metadata, err := decode(s.Metadata)
	if err != nil {
		return nil, fmt.Errorf("decode metadata: %w", err)
	}
	known, err := e.vars()
	if err != nil {
		return nil, err
	}
	vars := make(map[string]liquid.Value, len(known)+3)
	maps.Copy(vars, known)
	vars["delivery"] = liquid.Object(
		liquid.Member{Name: "id", Value: liquid.String(o.Delivery)},
		liquid.Member{Name: "uuid", Value: liquid.String(uuid.NewSHA1(deliveries, []byte(o.Delivery)).String())},
	)
	vars["subscription"] = liquid.Object(
		liquid.Member{Name: "id", Value: liquid.String(s.ID)},
		liquid.Member{Name: "name", Value: liquid.String(s.Name)},
		liquid.Member{Name: "metadata", Value: metadata},
	)
	count := liquid.Null
	if o.Count > 0 {
		count = liquid.Int(int64(o.Count))
	}
	vars["occasion"] = liquid.Object(liquid.Member{Name: "count", Value: count})
	return &scope{liquid.Scope{Vars: vars, Now: e.event.AcceptedAt, Budget: liquid.NewBudget(limits)}}, nil
}

// escape makes an output fit for its place; see [liquid.Scope].
type escape func(output int, before []byte, text string) (string, error)

// segments renders a template; what goes wrong is a Skip.
func (s *scope) segments(t *liquid.Template, e escape) ([]liquid.Segment, error) {
	scope := s.Scope
	scope.Escape = e
	segments, err := t.Segments(scope)
	return segments, skip(err)
}

// render renders a template into a Text. Place says how a secret is encoded
// that comes after some text.
func (s *scope) render(t *liquid.Template, e escape, place func(before []byte) string) (webhook.Text, error) {
	segments, err := s.segments(t, e)
	if err != nil {
		return webhook.Text{}, err
	}
	var w writer
	for _, g := range segments {
		if g.Secret != "" {
			w.insert(g.Secret, place(w.b))
		}
		w.b = append(w.b, g.Text...)
	}
	return w.text(), nil
}

func (s *scope) eval(t *liquid.Template) (liquid.Value, error) {
	v, err := t.Eval(s.Scope)
	return v, skip(err)
}

// skip turns what stops a render into the reason of the contract.
func skip(err error) error {
	var abort *liquid.Abort
	var over *liquid.BudgetError
	var fault *liquid.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &abort):
		return &Skip{Reason: webhook.ReasonAbort, Detail: abort.Message, public: abort.Public(), placed: true}
	case !errors.As(err, &fault):
		return &Skip{Reason: webhook.ReasonRenderError, Detail: err.Error(), public: "the template could not be rendered"}
	}
	s := &Skip{Reason: webhook.ReasonRenderError, Detail: err.Error(), public: fault.Public(), placed: true}
	switch {
	case errors.Is(err, errEmptySegment):
		s.Reason, s.public = webhook.ReasonMissingField, s.Detail
	case errors.As(err, &over) && over.Budget == "output":
		s.Reason = webhook.ReasonTooLarge
	}
	return s
}

// in names the field whose template was at fault, unless the error does.
func in(field string, err error) error {
	var s *Skip
	if !errors.As(err, &s) || !s.placed {
		return err
	}
	placed := *s
	placed.placed, placed.public = false, field+": "+s.public
	if s.Reason != webhook.ReasonAbort { // whose detail is what the template said, and nothing more
		placed.Detail = field + ": " + s.Detail
	}
	return &placed
}
