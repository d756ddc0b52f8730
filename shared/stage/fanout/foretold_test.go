package fanout_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

// What a preview says just before an event is handled is what then is stored:
// before each save of what was decided for an event, or of what it cancels, the
// preview is asked, and after it compared.

// foretold is what a preview says of one event.
type foretold struct {
	event    *happening
	decision trigger.Decision
	ends     []string // events whose delays the event would cancel
	commits  int      // of the history, when it was asked
}

// noteRead keeps of what was read its revisions, and when that was.
func (by *handling) noteRead(items []webhook.StateItem, at int) {
	if by.read == nil {
		by.read, by.readAt = map[webhook.StateRef]int64{}, map[webhook.StateRef]int{}
	}
	for _, item := range items {
		by.read[item.StateRef], by.readAt[item.StateRef] = item.Rev, at
	}
}

// outran reports whether others changed what was read since, if only what need
// not be saved again.
func (h *history) outran(ctx context.Context, by *handling, asked trigger.Asked, spec *trigger.Spec) (bool, error) {
	o, _ := spec.Occurrence(asked.Subscription, asked.Event, asked.Decoded)
	now, err := h.store.TriggerState(ctx, o.Refs())
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(now, func(item webhook.StateItem) bool {
		rev, read := by.read[item.StateRef]
		return read && rev != item.Rev
	}), err
}

// foretell asks of the event that a save is about, the first if there are several;
// nil if that is a wake-up's, if it may be one of several of the process, or if
// others were faster.
func (h *history) foretell(ctx context.Context, by *handling, items []webhook.StateItem) (*foretold, error) {
	e := h.savedFor(by, items)
	h.mu.Lock()
	alone := len(h.mates(by)) == 1
	h.mu.Unlock()
	if e == nil || !alone || h.cast != nil {
		return nil, nil
	}
	spec, err := trigger.Compile(h.sub)
	if err != nil {
		return nil, err
	}
	d, err := trigger.DecodeEvent(e.Event)
	if err != nil {
		return nil, err
	}
	told := &foretold{event: e, commits: len(h.commits)}
	asked := trigger.Asked{Subscription: h.sub, Event: e.Event, Decoded: d}
	if outran, err := h.outran(ctx, by, asked, spec); outran || err != nil {
		return nil, err
	}
	if e.cancels {
		asked.Cancels = 1
		keys, err := spec.Cancels(ctx, h.store, asked, h.clock)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			for _, s := range k.Waiting {
				told.ends = append(told.ends, s.Delivery)
			}
		}
	}
	if e.starts {
		told.decision, err = spec.Evaluate(ctx, h.store, asked, h.clock, e.ready)
	}
	return told, err
}

// ready says what rendering the event comes to.
func (e *happening) ready(int) (webhook.Reason, error) {
	if e.bare {
		return webhook.ReasonMissingField, nil
	}
	return "", nil
}

// savedFor is the event that was decided for, by its mark or else its claim, or
// that cancels.
func (h *history) savedFor(by *handling, items []webhook.StateItem) *happening {
	p, err := message.DecodeAs[message.Pack](by.body)
	if err != nil {
		return nil
	}
	if canceling(items) {
		if len(p.Events) == 1 {
			return by.from
		}
		return nil
	}
	for _, item := range items {
		var n noted
		if strings.HasPrefix(item.Part, "M#") || len(items) == 1 && item.Part == "ONCE" {
			if json.Unmarshal(item.Data, &n) == nil {
				return h.byKey[n.Event]
			}
		}
	}
	return nil
}

func canceling(items []webhook.StateItem) bool { return len(items) == 1 && items[0].Part == "TIMER" }

// pendingIn are the deliveries that the timer among the parts waits with.
func (h *history) pendingIn(items []webhook.StateItem) (ids []string) {
	var timer struct {
		Pending []noted `json:"p"`
	}
	for _, item := range items {
		if item.Part == "TIMER" && len(item.Data) > 0 && json.Unmarshal(item.Data, &timer) != nil {
			h.faults = append(h.faults, "a timer that cannot be read")
		}
	}
	for _, p := range timer.Pending {
		ids = append(ids, webhook.DeliveryID(h.tenant, p.Event, h.byKey[p.Event].AcceptedAt, h.sub.ID, ""))
	}
	return ids
}

// compare holds what was told against what was saved in place of what was there.
func (h *history) compare(told *foretold, before, items []webhook.StateItem) {
	if told == nil {
		return
	}
	e := told.event
	wrong := func(format string, args ...any) {
		h.faults = append(h.faults, e.Subject+": the preview of "+e.ID+" said "+fmt.Sprintf(format, args...))
	}
	if canceling(items) {
		left := h.pendingIn(items)
		ended := slices.DeleteFunc(h.pendingIn(before), func(id string) bool { return slices.Contains(left, id) })
		if !slices.Equal(ended, told.ends) {
			wrong("it cancels %v, and it canceled %v", told.ends, ended)
		}
		if e.starts {
			h.told = told // and then is decided for
		}
		return
	}
	told.against(items, "", wrong)
	if last := h.told; last != nil && last.event == e && last.commits == len(h.commits)-1 {
		last.against(items, "before its cancel ", wrong)
	}
}

// against compares a decision with the mark that was saved.
func (f *foretold) against(items []webhook.StateItem, when string, wrong func(string, ...any)) {
	want := noted{Count: f.decision.Count, Due: f.decision.Due, Outcome: string(f.decision.Reason)}
	if f.decision.Do == trigger.Send {
		want.Outcome = "sent"
	}
	got := noted{Count: want.Count, Outcome: "sent"} // of a claim without a mark
	for _, item := range items {
		if !strings.HasPrefix(item.Part, "M#") {
			continue
		}
		got = noted{}
		if json.Unmarshal(item.Data, &got) != nil {
			wrong("nothing of a mark that cannot be read")
		}
		break // others are of events that were decided for after it
	}
	if got.Count != want.Count || got.Outcome != want.Outcome || !got.Due.Equal(want.Due) {
		wrong("%s%q, number %d, due %v, and stored was %q, number %d, due %v", when, want.Outcome, want.Count, want.Due, got.Outcome, got.Count, got.Due)
	}
}
