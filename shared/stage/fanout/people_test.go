package fanout_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

// compute lets an attribute follow from events.
func (s *stand) compute(name, spec string) {
	s.t.Helper()
	s.define(s.store.PutAttributeRule(s.t.Context(), webhook.AttributeRule{Tenant: "acme", Name: name, Spec: json.RawMessage(spec), Generation: "g"}))
}

// segment names a condition.
func (s *stand) segment(id, filter string) {
	s.t.Helper()
	_, err := s.store.PutSegment(s.t.Context(), webhook.Segment{Tenant: "acme", ID: id, Filter: json.RawMessage(filter)})
	s.define(err)
}

func (s *stand) define(err error) {
	s.t.Helper()
	if err == nil {
		err = s.store.PeopleChanged(s.t.Context(), "acme")
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// write stores the attributes of a subject.
func (s *stand) write(subject, attributes string) {
	s.t.Helper()
	p := s.profile(subject)
	p.Tenant, p.Subject, p.Attributes = "acme", subject, json.RawMessage(attributes)
	p.Revision++
	if err := s.store.SaveProfile(s.t.Context(), p); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stand) profile(subject string) webhook.Profile {
	s.t.Helper()
	found, err := s.store.Profiles(s.t.Context(), "acme", []string{subject})
	if err != nil {
		s.t.Fatal(err)
	}
	return found[subject]
}

func filtered(id, filter string) webhook.Subscription {
	return webhook.Subscription{ID: id, Filter: json.RawMessage(filter)}
}

func TestAnEventSeesTheProfileAfterItsOwnEffects(t *testing.T) {
	s := newStand(t)
	s.compute("flights", `{"types":["flight"],"keep":"count"}`)
	s.subscribe(filtered("fifth", `{"profile":{"flights":[5]}}`))
	var fifth webhook.Event
	for i := range 6 {
		e := s.event("flight", "u1", s.now(), `{}`)
		if i == 4 {
			fifth = e
		}
		s.publish(e, s.event("flight", "u2", s.now(), `{}`), s.event("hotel", "u1", s.now(), `{}`))
		if i < 4 {
			s.want(fmt.Sprint("flight ", i+1))
		}
		if i == 4 {
			break
		}
	}
	got := false
	for _, f := range s.sent {
		got = got || f.Event == fifth.ID
	}
	if !got || len(s.sent) != 3 { // the fifths of both, and the hotel that sees the fifth
		t.Errorf("%d deliveries, the fifth flight among them: %t", len(s.sent), got)
	}
}

func TestAnEventIsAppliedOnceHoweverOftenItComes(t *testing.T) {
	s := newStand(t)
	s.compute("n", `{"keep":"count"}`)
	e := s.event("x", "u1", s.now(), `{}`)
	again := e
	again.Nonce = "another publication"
	s.publish(e, e, again)
	if got := string(s.profile("u1").Computed); !strings.Contains(got, `"v":1`) {
		t.Errorf("computed %s after one event that came three times", got)
	}
}

func TestManyEventsOfOneSubjectAreAllApplied(t *testing.T) {
	s := newStand(t)
	s.compute("n", `{"keep":"count"}`)
	var all sync.WaitGroup
	const events = 60
	for range events {
		e := s.event("x", "u1", s.now(), `{}`)
		all.Go(func() { s.handle(message.Pack{Events: []webhook.Event{e}}.Encode()) })
	}
	all.Wait()
	s.advance(10 * time.Second) // those that were put off
	if got := string(s.profile("u1").Computed); !strings.Contains(got, fmt.Sprintf(`"v":%d`, events)) {
		t.Errorf("computed %s after %d events at once", got, events)
	}
}

func TestFiltersAskForProfilesAndSegments(t *testing.T) {
	s := newStand(t)
	s.segment("vip", `{"profile":{"plan":["gold"]}}`)
	s.write("u1", `{"plan":"gold","langs":["it","en"]}`)
	for id, filter := range map[string]string{
		"gold":    `{"profile":{"plan":["gold"]},"data":{"n":[1]}}`,
		"vip":     `{"segment":["vip"]}`,
		"either":  `{"$or":[{"profile":{"plan":["tin"]}},{"data":{"n":[1]}}]}`,
		"italian": `{"profile":{"langs":["it"]}}`,
		"unknown": `{"profile":{"plan":[{"exists":false}]}}`,
		"tin":     `{"profile":{"plan":["tin"]}}`,
	} {
		s.subscribe(filtered(id, filter))
	}
	for _, tt := range []struct {
		subject, data string
		want          []string
	}{
		{"u1", `{"n":1}`, []string{"either", "gold", "italian", "vip"}},
		{"u1", `{"n":2}`, []string{"italian", "vip"}},
		{"u2", `{"n":1}`, []string{"either", "unknown"}},
		{"", `{"n":2}`, []string{"unknown"}},
	} {
		s.sent = nil
		s.publish(s.event("x", tt.subject, s.now(), tt.data))
		var got []string
		for _, f := range s.sent {
			got = append(got, f.Subscription)
		}
		if strings.Join(got, " ") != strings.Join(tt.want, " ") {
			t.Errorf("event of %q with %s goes to %q, want %q", tt.subject, tt.data, got, tt.want)
		}
	}
}

func TestTemplatesReadTheProfileAsItWasThen(t *testing.T) {
	s := newStand(t)
	s.compute("modes", `{"keep":"set","value":"data.mode"}`)
	s.write("u1", `{"name":"Ada"}`)
	s.subscribe(webhook.Subscription{ID: "s", Request: &webhook.RequestSpec{Body: json.RawMessage(`"{{ profile.name }} uses {{ profile.modes | join: ', ' }}"`), ContentType: "text/plain"}})
	e := s.event("study", "u1", s.now(), `{"mode":"cards"}`)
	s.publish(e)
	if len(s.sent) != 1 || s.sent[0].Body != "Ada uses cards" {
		t.Fatalf("sent %+v", s.sent)
	}
	stored, err := s.store.Event(t.Context(), "acme", e.Source, e.ID)
	if err != nil || string(stored.Profile) != `{"modes":["cards"],"name":"Ada"}` {
		t.Errorf("stored with the profile %s (%v)", stored.Profile, err)
	}
}

func TestAnEventThatNobodyAsksForAProfileKeepsNone(t *testing.T) {
	s := newStand(t)
	s.compute("n", `{"keep":"count"}`)
	s.subscribe(webhook.Subscription{ID: "s"})
	e := s.event("x", "u1", s.now(), `{}`)
	s.publish(e)
	stored, err := s.store.Event(t.Context(), "acme", e.Source, e.ID)
	if err != nil || stored.Profile != nil {
		t.Errorf("stored with the profile %s (%v), want none", stored.Profile, err)
	}
}

func TestAConditionOnTheProfileIsAskedAgainWhenADelayIsOver(t *testing.T) {
	s := newStand(t)
	s.write("u1", `{"consent":true}`)
	s.write("u2", `{"consent":true}`)
	nudge := filtered("nudge", `{"profile":{"consent":[true]}}`)
	nudge.Trigger = json.RawMessage(`{"key":"subject","delay":"1h"}`)
	s.subscribe(nudge)
	stays := s.event("cart", "u1", s.now(), `{}`)
	s.publish(stays, s.event("cart", "u2", s.now(), `{}`))
	s.write("u2", `{"consent":false}`)
	s.advance(time.Hour)
	s.want("an hour later", stays)
	page, _, err := s.store.PageDeliveries(t.Context(), "acme", webhook.DeliveryFilter{}, webhook.Page{Limit: 10})
	if err != nil || len(page) != 1 || page[0].Reason != webhook.ReasonProfile {
		t.Errorf("canceled deliveries %+v (%v), want one for the reason profile", page, err)
	}
}

func TestAReplayChangesNoProfileAndAsksAgain(t *testing.T) {
	s := newStand(t)
	s.compute("n", `{"keep":"count"}`)
	s.subscribe(filtered("first", `{"profile":{"n":[1]}}`))
	e := s.event("x", "u1", s.now(), `{}`)
	s.publish(e)
	s.want("published", e)
	s.handle(message.Replay{Tenant: "acme", Event: e.ID, Source: e.Source, ID: "rpl_1", At: s.now()}.Encode())
	s.want("replayed", e)
	s.publish(s.event("x", "u1", s.now(), `{}`))
	s.handle(message.Replay{Tenant: "acme", Event: e.ID, Source: e.Source, ID: "rpl_2", At: s.now()}.Encode())
	s.want("replayed when the count is two")
}

// TestTheProfileDecidesAsIfEachSubscriptionWasAlone matches many subscriptions that ask
// for the profile, of which the index looks at few, and compares each with a tenant
// that has no other.
func TestTheProfileDecidesAsIfEachSubscriptionWasAlone(t *testing.T) {
	filters := []string{
		`{"profile":{"plan":["gold"]}}`, `{"profile":{"plan":["tin"]}}`, `{"profile":{"plan":[{"exists":false}]}}`, `{"data":{"a":[1]},"profile":{"plan":["gold"]}}`,
		`{"data":{"a":[2]},"profile":{"plan":["gold"]}}`, `{"segment":["vip"]}`, `{"$or":[{"data":{"a":[1]}},{"profile":{"plan":["tin"]}}]}`, `{"data":{"a":[1]}}`,
		`{"subject":["u1"],"profile":{"n":[{"numeric":[">=",2]}]}}`,
	}
	of := func(s *stand, which ...int) (got []string) {
		s.segment("vip", `{"profile":{"plan":["gold"]}}`)
		s.write("u1", `{"plan":"gold","n":2}`)
		s.write("u2", `{"plan":"tin","n":1}`)
		for _, i := range which {
			sub := filtered(fmt.Sprint("f", i), filters[i])
			sub.Trigger = json.RawMessage(`{"delay":"1h","cancel":[{"types":["stop"]}]}`)
			s.subscribe(sub)
		}
		one := s.event("x", "u1", s.now(), `{"a":1}`)
		one.Only = "f0"
		s.publish(s.event("x", "u1", s.now(), `{"a":1}`), s.event("x", "u2", s.now(), `{"a":1}`), s.event("x", "", s.now(), `{"a":2}`), one)
		s.publish(s.event("x", "u3", s.now(), `{"a":1}`), s.event("stop", "u3", s.now(), `{}`))
		s.advance(2 * time.Hour)
		for _, f := range s.sent {
			got = append(got, f.Subscription+" "+f.Event)
		}
		slices.Sort(got)
		return got
	}
	var alone, all []string
	for i := range filters {
		alone = append(alone, of(newStand(t), i)...)
		all = append(all, fmt.Sprint(i))
	}
	slices.Sort(alone)
	got := of(newStand(t), 0, 1, 2, 3, 4, 5, 6, 7, 8)
	if fmt.Sprint(got) != fmt.Sprint(alone) || len(got) < len(all) {
		t.Errorf("together: %v, want as each alone: %v", got, alone)
	}
}

func TestWhatARequestRequiresOfTheProfileIsAskedOfIt(t *testing.T) {
	s := newStand(t)
	s.write("u1", `{"address":{"zip":"02101"}}`)
	s.write("u2", `{"address":{"zip":""}}`)
	s.define(nil)
	s.subscribe(webhook.Subscription{ID: "card", Request: &webhook.RequestSpec{Require: []string{"profile.address.zip"}}})
	for _, subject := range []string{"u1", "u2", "u3", ""} {
		s.publish(s.event("x", subject, s.now(), `{}`))
	}
	if len(s.sent) != 1 {
		t.Errorf("%d callbacks, want one for who has an address", len(s.sent))
	}
	s.wantCanceled(webhook.ReasonMissingField, webhook.ReasonMissingField, webhook.ReasonMissingField)
}
