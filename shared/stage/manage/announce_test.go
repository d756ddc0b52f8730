package manage_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/postino/postino/shared/api/operational"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// published collects operational events of acme.
type published struct {
	events []webhook.Event
	refuse error
}

func (p *published) Send(_ context.Context, messages []queue.Message) error {
	if p.refuse != nil {
		return p.refuse
	}
	for _, m := range messages {
		pack, err := message.DecodeAs[message.Pack](m.Body)
		if err != nil {
			return err
		}
		for _, e := range pack.Events {
			if e.Tenant == "acme" {
				p.events = append(p.events, e)
			}
		}
	}
	return nil
}

// take returns the ids of what was published since it was last called.
func (p *published) take() (ids []string) {
	for _, e := range p.events {
		ids = append(ids, e.ID)
	}
	p.events = nil
	return ids
}

// disabled makes a subscription that we disabled.
func disabled(t *testing.T, w *world) {
	t.Helper()
	subscribed(t, w)
	s := w.version(t, "s1")
	s.State, s.DisabledReason, s.DisabledAt = webhook.Disabled, "410 Gone", w.clock
	if _, err := w.store.SaveSubscription(t.Context(), s, s.Version); err != nil {
		t.Fatal(err)
	}
}

func (w *world) version(t *testing.T, id string) webhook.Subscription {
	t.Helper()
	found, err := w.store.Versions(t.Context(), []webhook.VersionRef{{Tenant: "acme", ID: id, Version: w.head(t, id).Version}})
	if err != nil {
		t.Fatal(err)
	}
	return found[0]
}

func TestWhoeverOpensADisabledSubscriptionTellsOfIt(t *testing.T) {
	for _, tt := range [][3]string{
		{"POST", sub + "/s1/resume", ""},
		{"PATCH", sub + "/s1", `{"state":"active"}`},
		{"PUT", sub + "/s1", `{"url":"https://a.example"}`},
	} {
		w, out := open(t), &published{}
		w.Events = out
		disabled(t, w)
		w.must(t, 200, "PATCH", sub+"/s1", `{"name":"renamed"}`)
		if ids := out.take(); len(ids) != 0 {
			t.Errorf("a new name is told as %v", ids)
		}
		out.refuse = errors.New("injected")
		w.must(t, 503, tt[0], tt[1], tt[2])
		out.refuse = nil
		w.must(t, 200, tt[0], tt[1], tt[2])
		if len(out.events) != 1 || out.events[0].Type != operational.SubscriptionRecovered || out.events[0].Subject != "s1" {
			t.Fatalf("%s %s: told %+v, want the recovery", tt[0], tt[1], out.events)
		}
		first := out.take()
		w.must(t, 200, tt[0], tt[1], tt[2])
		if again := out.take(); len(again) != 1 || again[0] != first[0] {
			t.Errorf("%s %s: a repeat tells %v, told %v", tt[0], tt[1], again, first)
		}
		w.advance(25 * time.Hour)
		w.must(t, 200, tt[0], tt[1], tt[2])
		if ids := out.take(); len(ids) != 0 {
			t.Errorf("%s %s: told %v a day later", tt[0], tt[1], ids)
		}
	}
}

func TestWhatWasOpenedAndThenChangedIsNotToldAgain(t *testing.T) {
	w, out := open(t), &published{}
	w.Events = out
	disabled(t, w)
	w.must(t, 200, "POST", sub+"/s1/pause", "")
	if ids := out.take(); len(ids) != 0 {
		t.Errorf("a pause is told as %v", ids)
	}
	w.must(t, 200, "POST", sub+"/s1/resume", "")
	if ids := out.take(); len(ids) != 1 {
		t.Errorf("told %v, want the recovery", ids)
	}
	w.must(t, 200, "PATCH", sub+"/s1", `{"name":"renamed"}`)
	w.must(t, 200, "POST", sub+"/s1/resume", "")
	w.must(t, 200, "POST", sub+"/s1/pause", "")
	w.must(t, 200, "POST", sub+"/s1/resume", "")
	if ids := out.take(); len(ids) != 0 {
		t.Errorf("told %v, although nothing had been disabled since", ids)
	}
}
