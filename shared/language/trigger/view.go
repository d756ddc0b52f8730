package trigger

import (
	"context"
	"fmt"
	"time"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/webhook"
)

// Asked is an event as the trigger of one subscription sees it.
type Asked struct {
	Subscription webhook.Subscription
	Event        webhook.Event
	Decoded      *pattern.Event // of Event
	Cancels      uint16         // the cancel clauses that it meets: see [Spec.CancelRefs]
}

// Evaluate tells what the trigger would say to an event handled now: first
// what it cancels is canceled, then it is decided for. Nothing is written.
func (s *Spec) Evaluate(ctx context.Context, r Reader, a Asked, now time.Time, ready Ready) (Decision, error) {
	o, reason := s.Occurrence(a.Subscription, a.Event, a.Decoded)
	if reason != "" {
		return Decision{Reason: reason}, nil
	}
	items, err := known(ctx, r, o.Refs(), a.Subscription)
	if err != nil {
		return Decision{}, fmt.Errorf("read trigger state: %w", err)
	}
	items, err = s.afterCancels(items, a, now)
	if err != nil {
		return Decision{}, err
	}
	decision, _, err := o.Decide(items, now, ready)
	if err != nil {
		return decision, err
	}
	st, err := load(live(items, now))
	if err != nil {
		return decision, err
	}
	decision.Until = o.free(st, decision)
	return decision, nil
}

// known reads parts. Of a draft's own there are none; what its campaign shares with
// others there is.
func known(ctx context.Context, r Reader, refs []webhook.StateRef, sub webhook.Subscription) ([]webhook.StateItem, error) {
	items, asked := make([]webhook.StateItem, len(refs)), []webhook.StateRef{}
	for i, ref := range refs {
		items[i].StateRef = ref
		if sub.Version != 0 || ref.Subscription == "" {
			asked = append(asked, ref)
		}
	}
	if len(asked) == 0 {
		return items, nil
	}
	stored, err := r.TriggerState(ctx, asked)
	for i := range items {
		if len(stored) > 0 && items[i].StateRef == stored[0].StateRef {
			items[i], stored = stored[0], stored[1:]
		}
	}
	return items, err
}

// Outcome tells what was decided for an event that is stored with an entry for
// sub in its plan. It is false if nothing is known of it: the trigger keeps no
// such record, or the event is not handled yet.
func (s *Spec) Outcome(ctx context.Context, r Reader, sub webhook.Subscription, e webhook.Event, d *pattern.Event) (Decision, bool, error) {
	o, reason := s.Occurrence(sub, e, d)
	if reason != "" {
		return Decision{Reason: reason}, true, nil
	}
	var items []webhook.StateItem
	if refs := o.Refs(); len(refs) > 0 {
		var err error
		if items, err = r.TriggerState(ctx, refs); err != nil {
			return Decision{}, false, fmt.Errorf("read trigger state: %w", err)
		}
	}
	st, err := load(items)
	if err != nil {
		return Decision{}, false, err
	}
	decision, known := o.decided(st)
	decision.Until = o.free(st, decision)
	switch {
	case known:
		return decision, true, nil
	case s.Stale(e.Time, e.AcceptedAt): // was too old when it came
		return Decision{Reason: webhook.ReasonStale}, true, nil
	case s.once && st.once.exists():
		return Decision{Reason: webhook.ReasonOnce}, true, nil
	}
	return Decision{}, false, nil
}

// Fired reports whether the event led its trigger to send something, and after
// how many occurrences. A trigger that keeps no state has sent at every match.
// A delay that is not over has sent nothing yet.
func (o *Occurrence) Fired(ctx context.Context, r Reader) (count int, fired bool, err error) {
	refs := o.Refs()
	if len(refs) == 0 {
		return 0, true, nil
	}
	items, err := r.TriggerState(ctx, refs)
	if err != nil {
		return 0, false, fmt.Errorf("read trigger state: %w", err)
	}
	d, decided, err := o.Decided(items)
	return d.Count, decided && d.Do == Send, err
}

// View is the state of one key as the API shows it.
type View struct {
	Count  *int64      `json:"count"`  // occurrences so far; null without a count
	Once   *ClaimView  `json:"once"`   // the delivery that used once or once_per; null if none
	Cap    []ClaimView `json:"cap"`    // claims that were within the cap's window at the last of them
	Timer  *TimerView  `json:"timer"`  // null if nothing ever started or canceled
	Events []MarkView  `json:"events"` // what was decided for single events, in no order
}

// ClaimView is one delivery that counts against once or a cap.
type ClaimView struct {
	Delivery string       `json:"delivery"`
	At       webhook.Time `json:"at"`
}

// TimerView is what waits for its delay.
type TimerView struct {
	Waiting    []WaitView   `json:"waiting"`     // the first fires next
	Fired      []WaitView   `json:"fired"`       // the latest, oldest first
	CanceledAt webhook.Time `json:"canceled_at"` // time of the latest event that canceled; null if none
}

// WaitView is one start.
type WaitView struct {
	Event string       `json:"event"`
	Time  webhook.Time `json:"time"`
	Due   webhook.Time `json:"due"`
}

// MarkView is what was decided for one event.
type MarkView struct {
	Event  string       `json:"event"`
	Source string       `json:"source"`
	Count  int64        `json:"count,omitempty"`
	At     webhook.Time `json:"at"`     // our clock
	Due    webhook.Time `json:"due"`    // of an event with a delay
	Sent   bool         `json:"sent"`   // it led to a delivery
	Reason string       `json:"reason"` // why it did not; "" if it did, or if it waits or waited for its delay
}

// maxMarks is how many events a view shows.
const maxMarks = 50

// ReadView reads the state of one key; see [Spec.KeyRef]. It is false if
// nothing is stored.
func ReadView(ctx context.Context, store Store, key webhook.StateRef) (View, bool, error) {
	refs := make([]webhook.StateRef, 0, 4)
	for _, name := range []string{partCount, partOnce, partCap, partTimer} {
		key.Part = name
		refs = append(refs, key)
	}
	items, err := store.TriggerState(ctx, refs)
	if err != nil {
		return View{}, false, fmt.Errorf("read trigger state: %w", err)
	}
	key.Part = markOf
	marks, err := store.ListTriggerState(ctx, key, maxMarks)
	if err != nil {
		return View{}, false, fmt.Errorf("list trigger state: %w", err)
	}
	return view(items, marks)
}

func view(items, marks []webhook.StateItem) (v View, found bool, err error) {
	st, err := load(items)
	if err != nil {
		return v, false, err
	}
	for _, item := range items {
		found = found || item.Rev > 0
	}
	if st.count.exists() {
		v.Count = &st.count.value.N
	}
	if st.once.exists() {
		v.Once = &ClaimView{st.once.value.Delivery, webhook.Time(st.once.value.At)}
	}
	v.Cap, v.Events = []ClaimView{}, []MarkView{}
	for _, c := range st.cap.value.Claims {
		v.Cap = append(v.Cap, ClaimView{c.Delivery, webhook.Time(c.At)})
	}
	if st.timer.exists() {
		v.Timer = viewTimer(st.timer.value)
	}
	for _, item := range marks {
		var p part[mark]
		if len(item.Part) < len(markOf) || item.Part[:len(markOf)] != markOf {
			break // the fixed parts that sort behind
		}
		if err := p.decode(item); err != nil {
			return v, false, err
		}
		found = true
		v.Events = append(v.Events, viewMark(p.value))
	}
	return v, found, nil
}

func viewTimer(t timer) *TimerView {
	v := &TimerView{Waiting: []WaitView{}, Fired: []WaitView{}}
	for _, p := range t.Pending {
		v.Waiting = append(v.Waiting, viewWait(p))
	}
	for _, f := range t.Fired {
		v.Fired = append(v.Fired, viewWait(f))
	}
	if t.Canceled != nil {
		v.CanceledAt = webhook.Time(t.Canceled.Time)
	}
	return v
}

func viewWait(s start) WaitView {
	return WaitView{s.ID, webhook.Time(s.Time), webhook.Time(s.Due)}
}

func viewMark(m mark) MarkView {
	v := MarkView{Event: m.ID, Source: m.Source, Count: m.Count, At: webhook.Time(m.At), Due: webhook.Time(m.Due), Sent: m.Outcome == sent}
	if !v.Sent {
		v.Reason = string(m.Outcome)
	}
	return v
}

// deletePage is how many parts are removed at once.
const deletePage = 250

// Erase removes all state of one key: counts, claims, marks, and what waits.
func Erase(ctx context.Context, store Store, key webhook.StateRef) error {
	for key.Part = ""; ; {
		items, err := store.ListTriggerState(ctx, key, deletePage)
		if err != nil {
			return fmt.Errorf("list trigger state: %w", err)
		}
		if len(items) == 0 {
			return nil
		}
		refs := make([]webhook.StateRef, len(items))
		for i, item := range items {
			refs[i] = item.StateRef
		}
		if err := store.DeleteTriggerState(ctx, refs); err != nil {
			return fmt.Errorf("delete trigger state: %w", err)
		}
		key.Part = refs[len(refs)-1].Part
	}
}
