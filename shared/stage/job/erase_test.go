package job_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

// ofSubject stores the n-th event of a subject, with a plan.
func (w *world) ofSubject(subject string, n int, subs ...webhook.Subscription) webhook.StoredEvent {
	w.t.Helper()
	e := webhook.StoredEvent{Event: webhook.Event{
		Tenant: "acme", ID: fmt.Sprint(subject, " ", n), Source: "/s", Type: "t", Subject: subject, Nonce: fmt.Sprint(subject, n),
		Time: w.clock, AcceptedAt: w.clock.Add(time.Duration(n) * time.Millisecond), Data: json.RawMessage(fmt.Sprintf(`{"device":"d%d"}`, n%3)),
	}}
	for _, s := range subs {
		e.Plan.Entries = append(e.Plan.Entries, webhook.PlanEntry{Subscription: s.ID, Version: s.Version})
	}
	e.Plan.Total = len(subs)
	if _, _, err := w.seed.CreateEvent(w.t.Context(), e); err != nil {
		w.t.Fatal(err)
	}
	return e
}

// triggering subscribes with a trigger.
func (w *world) triggering(id, spec string) webhook.Subscription {
	w.t.Helper()
	s, err := w.seed.SaveSubscription(w.t.Context(), webhook.Subscription{Tenant: "acme", ID: id, URL: "https://a.example", State: webhook.Active, Trigger: json.RawMessage(spec)}, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// count has a trigger count an event.
func (w *world) count(s webhook.Subscription, e webhook.Event) webhook.StateRef {
	w.t.Helper()
	spec, err := trigger.Compile(s)
	if err != nil {
		w.t.Fatal(err)
	}
	d, err := trigger.DecodeEvent(e)
	if err != nil {
		w.t.Fatal(err)
	}
	o, _ := spec.Occurrence(s, e, d)
	items, err := w.seed.TriggerState(w.t.Context(), o.Refs())
	if err != nil {
		w.t.Fatal(err)
	}
	_, changes, err := o.Decide(items, w.clock, trigger.Always)
	if err == nil {
		err = w.seed.SaveTriggerState(w.t.Context(), changes)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return o.Key()
}

func (w *world) remembers(key webhook.StateRef) bool {
	w.t.Helper()
	items, err := w.seed.ListTriggerState(w.t.Context(), key, 1)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(items) > 0
}

func TestAnErasureRemovesWhatIsKnownOfASubjectWhateverFails(t *testing.T) {
	for _, faults := range []bool{false, true} {
		onEachStore(t, func(t *testing.T, w *world) {
			w.people(3)
			alone, both, device := w.triggering("alone", `{"at":5}`), w.triggering("both", `{"key":["subject","data.device"],"at":5}`), w.triggering("device", `{"key":"data.device","at":5}`)
			n := scale(500, 120)
			var gone, stays []webhook.StateRef
			var last webhook.StoredEvent
			for i := range n {
				last = w.ofSubject("u00000", i, alone, both, device)
				if i < 3 {
					gone = append(gone, w.count(alone, last.Event), w.count(both, last.Event))
					stays = append(stays, w.count(device, last.Event))
				}
			}
			other := w.ofSubject("u00001", 1, alone)
			stays = append(stays, w.count(alone, other.Event))
			if faults {
				dice := dice(900)
				w.store, w.refuse = storetest.Faulty(w.seed, dice, dice), dice
			}
			j := w.finish(webhook.Job{Tenant: "acme", ID: jobID, Kind: webhook.JobErase, Subject: "u00000"})
			if want := (webhook.Erased{Profiles: 1, States: 4, Events: int64(n)}); j.Status != webhook.JobDone || *j.Erased != want {
				t.Errorf("the job is %s, and has removed %+v, want %+v", j.Status, *j.Erased, want)
			}
			if text, _ := json.Marshal(j); strings.Contains(string(text), "u00000") {
				t.Errorf("the job that is over names its subject: %s", text)
			}
			for _, key := range gone {
				if w.remembers(key) {
					t.Errorf("the trigger of %s still remembers the subject", key.Subscription)
				}
			}
			for _, key := range stays {
				if !w.remembers(key) {
					t.Errorf("the trigger of %s has forgotten what was not the subject's", key.Subscription)
				}
			}
			for i := range n {
				e, err := w.seed.Event(t.Context(), "acme", "/s", fmt.Sprint("u00000 ", i))
				if err != nil || !e.Expunged || e.Data != nil || e.Subject != "" {
					t.Fatalf("event %d: %+v, %v; want it without data and subject", i, e, err)
				}
			}
			if e, err := w.seed.Event(t.Context(), "acme", "/s", other.ID); err != nil || e.Expunged || e.Data == nil {
				t.Errorf("the event of another subject: %+v, %v", e, err)
			}
			known, err := w.seed.Profiles(t.Context(), "acme", []string{"u00000", "u00001"})
			if err != nil || len(known) != 1 {
				t.Errorf("%d profiles, %v; want that of the other subject", len(known), err)
			}
		})
	}
}

func TestAnErasureLooksAgainForWhatWasUnderWay(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		w.ofSubject("ada", 1)
		late := false
		w.watch = func(j webhook.Job) {
			if j.Erased.Events == 1 && !late {
				late = true
				w.ofSubject("ada", 2)
				err := w.seed.SaveProfile(t.Context(), webhook.Profile{Tenant: "acme", Subject: "ada", Revision: 1})
				if err != nil && !errors.Is(err, webhook.ErrConflict) {
					t.Fatal(err)
				}
			}
		}
		j := w.finish(webhook.Job{Tenant: "acme", ID: jobID, Kind: webhook.JobErase, Subject: "ada"})
		if want := (webhook.Erased{Profiles: 1, Events: 2}); *j.Erased != want {
			t.Errorf("removed %+v, want %+v", *j.Erased, want)
		}
	})
}

func TestASendThatIsOverNamesNobody(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		j := w.finish(sending(webhook.Send{Subjects: []string{"ada", "bob"}}))
		if text, _ := json.Marshal(j); strings.Contains(string(text), "ada") || j.Send.Named != 2 || j.Counts.Sent != 2 {
			t.Errorf("a send to two that is over: %s", text)
		}
	})
}

// ofCampaign has a subscription of a campaign decide for an event, and returns the keys
// of what is shared that this wrote.
func (w *world) ofCampaign(c *trigger.Common, s webhook.Subscription, e webhook.Event) (shared []webhook.StateRef) {
	w.t.Helper()
	d, err := trigger.DecodeEvent(e)
	if err != nil {
		w.t.Fatal(err)
	}
	o, _ := trigger.Bare().With(c).Occurrence(s, e, d)
	items, err := w.seed.TriggerState(w.t.Context(), o.Refs())
	if err != nil {
		w.t.Fatal(err)
	}
	_, changes, err := o.Decide(items, w.clock, trigger.Always)
	if err == nil {
		err = w.seed.SaveTriggerState(w.t.Context(), changes)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	for _, item := range changes {
		if item.Subscription == "" {
			key := item.StateRef
			key.Part = ""
			shared = append(shared, key)
		}
	}
	return shared
}

func TestAnErasureRemovesWhatCampaignsKeepOfASubject(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		err := errors.Join(
			w.seed.SaveCap(t.Context(), webhook.Cap{Tenant: "acme", Name: "promo", Life: "l1", Revision: 1, Spec: json.RawMessage(`{"tags":["promo"],"max":9,"per":"7d"}`)}),
			w.seed.SaveCampaign(t.Context(), webhook.Campaign{Tenant: "acme", ID: "spring", Life: "l2", Revision: 1,
				Spec: json.RawMessage(`{"state":"live","tags":["promo"],"cap":{"max":9,"per":"7d","key":["subject","data.device"]},"goal":{"types":["buy"],"within":"7d"}}`)}),
			w.seed.SaveCampaign(t.Context(), webhook.Campaign{Tenant: "acme", ID: "autumn", Life: "l4", Revision: 1,
				Spec: json.RawMessage(`{"state":"live","cap":{"max":9,"per":"7d"},"goal":{"types":["buy"],"within":"7d"}}`)}),
			w.seed.SaveCampaign(t.Context(), webhook.Campaign{Tenant: "acme", ID: "device", Life: "l3", Revision: 1,
				Spec: json.RawMessage(`{"state":"live","cap":{"max":9,"per":"7d","key":"data.device"}}`)}),
		)
		if err != nil {
			t.Fatal(err)
		}
		d := &people.Definitions{}
		if wrong, err := d.Join(t.Context(), w.seed, "acme"); err != nil || wrong != nil {
			t.Fatal(wrong, err)
		}
		subs := map[string]webhook.Subscription{}
		for _, id := range []string{"spring", "device"} {
			s, err := w.seed.SaveSubscription(t.Context(), webhook.Subscription{Tenant: "acme", ID: id, URL: "https://a.example", State: webhook.Active, Campaign: id}, 0)
			if err != nil {
				t.Fatal(err)
			}
			subs[id] = s
		}
		var gone, stays []webhook.StateRef
		for i := range 2 { // two devices
			e := w.ofSubject("ada", i, subs["spring"], subs["device"])
			gone = append(gone, w.ofCampaign(d.Campaign("spring").Common(), subs["spring"], e.Event)...)
			stays = append(stays, w.ofCampaign(d.Campaign("device").Common(), subs["device"], e.Event)...)
		}
		expired := webhook.Event{Tenant: "acme", ID: "expired", Source: "/s", Type: "t", Subject: "ada", Time: w.clock, AcceptedAt: w.clock, Data: json.RawMessage(`{}`)}
		gone = append(gone, w.ofCampaign(d.Campaign("autumn").Common(), webhook.Subscription{Tenant: "acme", ID: "deleted", Campaign: "autumn"}, expired)...)
		other := w.ofSubject("bob", 1, subs["spring"])
		stays = append(stays, w.ofCampaign(d.Campaign("spring").Common(), subs["spring"], other.Event)...)
		if len(gone) != 8 || len(stays) != 5 {
			t.Fatalf("%d states of the subject and %d of others, want 8 and 5", len(gone), len(stays))
		}
		j := w.finish(webhook.Job{Tenant: "acme", ID: jobID, Kind: webhook.JobErase, Subject: "ada"})
		if want := (webhook.Erased{States: 6, Events: 2}); j.Status != webhook.JobDone || *j.Erased != want {
			t.Errorf("the job is %s, and has removed %+v, want %+v: a tag's cap, the campaign's for two devices, its goal, and the cap and the goal of one whose subscription is gone", j.Status, *j.Erased, want)
		}
		for _, key := range gone {
			if w.remembers(key) {
				t.Errorf("a campaign still remembers the subject: %+v", key)
			}
		}
		for _, key := range stays {
			if !w.remembers(key) {
				t.Errorf("a campaign has forgotten what was not the subject's: %+v", key)
			}
		}
	})
}
