package fanout_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

func TestSevenModesShuffledAndRepeatedGiveSevenRequestsPerUser(t *testing.T) {
	modes := []string{"flashcards", "learn", "write", "spell", "test", "match", "gravity"}
	for name, subscribe := range map[string]func(*stand){
		"seven subscriptions": func(s *stand) {
			for _, mode := range modes {
				s.subscribe(webhook.Subscription{
					ID: mode, Types: []string{"mode.finished"}, Trigger: json.RawMessage(`{"once":true}`),
					Filter: json.RawMessage(`{"data":{"mode":["` + mode + `"],"logged_in":[true]}}`),
				})
			}
		},
		"one with a list of paths as key": func(s *stand) {
			s.subscribe(webhook.Subscription{
				ID: "all", Types: []string{"mode.finished"}, Trigger: json.RawMessage(`{"key":["subject","data.mode"],"once":true}`),
				Filter: json.RawMessage(`{"data":{"logged_in":[true]}}`),
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			subscribe(s)
			var bodies [][]byte
			for _, user := range []string{"u1", "u2"} {
				for _, mode := range modes {
					for i := range 20 {
						e := s.event("mode.finished", user, epoch, fmt.Sprintf(`{"mode":%q,"logged_in":%v}`, mode, i%5 > 0))
						for range 1 + i%3 {
							bodies = append(bodies, message.Pack{Events: []webhook.Event{e}}.Encode())
						}
					}
				}
			}
			rand.New(rand.NewPCG(1, 2)).Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
			var wg sync.WaitGroup
			work := make(chan []byte)
			for range 8 {
				wg.Go(func() {
					for body := range work {
						s.handle(body)
					}
				})
			}
			for _, body := range bodies {
				work <- body
			}
			close(work)
			wg.Wait()
			ids := map[string]bool{}
			for _, f := range s.sent {
				ids[f.ID] = true
			}
			if len(ids) != 14 {
				t.Errorf("%d deliveries for two users in seven modes, want 14", len(ids))
			}
		})
	}
}

func TestOncePerHoldsAt59MinutesAndOpensAt61(t *testing.T) {
	s := newStand(t)
	s.subscribe(webhook.Subscription{ID: "s", Trigger: json.RawMessage(`{"once_per":"1h"}`)})
	first, held, open := s.event("a", "u1", epoch, `{}`), s.event("a", "u1", epoch, `{}`), s.event("a", "u1", epoch, `{}`)
	s.publish(first)
	s.want("at first", first)
	s.advance(59 * time.Minute)
	s.publish(held, s.event("a", "u1", epoch, `{}`))
	s.want("after 59 minutes")
	s.advance(2 * time.Minute)
	s.publish(held)
	s.want("an event handled again that was refused then")
	s.publish(open, s.event("a", "u1", epoch, `{}`))
	s.want("after 61 minutes", open)
	s.publish(first)
	s.want("the first event handled again", first)
}

func TestDeliveriesCarryTheCountOfTheirOccasion(t *testing.T) {
	s := newStand(t)
	s.subscribe(webhook.Subscription{
		ID: "s", Trigger: json.RawMessage(`{"every":2,"distinct":"data.booking"}`),
		Request: &webhook.RequestSpec{Body: json.RawMessage(`{"n":"{{ occasion.count }}"}`)},
	})
	var events []webhook.Event
	for i := range 8 { // two of each booking
		events = append(events, s.event("flight", "u1", epoch, fmt.Sprintf(`{"booking":%d}`, i/2)))
	}
	s.publish(events...)
	s.publish(events[2])
	var got []string
	for _, f := range s.sent {
		got = append(got, fmt.Sprint(f.Event, f.Count, f.Body))
	}
	want := `e003 2 {"n":2} e007 4 {"n":4} e003 2 {"n":2}`
	if got := strings.Join(got, " "); strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Errorf("sent %s, want %s", got, want)
	}
}

const cart = `{"delay":"1h","cancel":[{"types":["order"],"filter":{"data":{"paid":[true]}}},{"types":["merge"],"key":"data.from"}]}`

func TestDelaysEndToTheSecondUnlessCanceled(t *testing.T) {
	s := newStand(t)
	s.subscribe(webhook.Subscription{ID: "s", Types: []string{"cart"}, Trigger: json.RawMessage(cart)})
	at := func(m int) time.Time { return epoch.Add(time.Duration(m) * time.Minute) }

	u1, u2, u3 := s.event("cart", "u1", at(0), `{}`), s.event("cart", "u2", at(0), `{}`), s.event("cart", "u3", at(0), `{}`)
	s.publish(u1, u2, u3, s.event("order", "u3", at(0), `{"paid":false}`))
	s.advance(30 * time.Minute)
	newer := s.event("cart", "u2", at(30), `{}`)
	s.publish(newer, s.event("order", "u1", at(20), `{"paid":true}`))
	s.advance(30*time.Minute - time.Second)
	s.want("a second early")
	s.advance(time.Second)
	s.want("on the second", u3)
	s.advance(30 * time.Minute)
	s.want("half an hour later, since the cart was changed", newer)
	s.advance(24 * time.Hour)
	s.want("in the end")

	s.publish(s.event("merge", "u9", at(2000), `{"from":"u4"}`), s.event("order", "u5", at(2000), `{"paid":true}`))
	late := s.event("cart", "u4", at(2001), `{}`)
	s.publish(s.event("cart", "u4", at(1999), `{}`), s.event("cart", "u5", at(1999), `{}`))
	s.publish(late)
	s.advance(100 * time.Hour)
	s.want("cancels that came before their starts", late)
}

func TestEventsOfLongAgoFireAtOnce(t *testing.T) {
	s := newStand(t)
	s.subscribe(webhook.Subscription{ID: "s", Trigger: json.RawMessage(`{"delay":"3d"}`)})
	old, older := s.event("a", "u1", epoch.Add(-80*time.Hour), `{}`), s.event("a", "u2", epoch.Add(-71*time.Hour), `{}`)
	s.publish(old, older)
	s.want("at once", old)
	s.advance(time.Hour)
	s.want("after the hour that was left", older)
}

func TestWhatIsTooOldIsSkippedAndNotCounted(t *testing.T) {
	s := newStand(t)
	s.subscribe(webhook.Subscription{ID: "plain", Types: []string{"a"}, MaxAge: "1h"})
	s.subscribe(webhook.Subscription{ID: "counting", Types: []string{"b"}, MaxAge: "1h", Trigger: json.RawMessage(`{"every":2}`)})
	s.subscribe(webhook.Subscription{ID: "late", Types: []string{"c"}, MaxAge: "1h", Trigger: json.RawMessage(`{"delay":"2h","once":true}`)})
	fresh, old := epoch.Add(-time.Hour), epoch.Add(-time.Hour-1)
	young := s.event("a", "u1", fresh, `{}`)
	s.publish(young, s.event("a", "u1", old, `{}`))
	s.want("without trigger", young)
	second := s.event("b", "u1", fresh, `{}`)
	s.publish(s.event("b", "u1", fresh, `{}`), s.event("b", "u1", old, `{}`), second)
	s.want("with a count", second)
	s.publish(s.event("c", "u1", epoch, `{}`))
	s.advance(2 * time.Hour)
	s.want("when the delay is over")

	sub := webhook.Subscription{Tenant: "acme", ID: "plain", MaxAge: "1h"}
	for e, want := range map[*webhook.Event]webhook.Reason{&young: "", {Time: old, AcceptedAt: epoch}: webhook.ReasonStale} {
		spec, err := trigger.Compile(sub)
		if err != nil {
			t.Fatal(err)
		}
		d, err := trigger.DecodeEvent(*e)
		if err != nil {
			t.Fatal(err)
		}
		if got, known, err := spec.Outcome(t.Context(), s.store, sub, *e, d); got.Reason != want || known != (want != "") || err != nil {
			t.Errorf("outcome of an event of %s: %+v, %v, %v, want %q", e.Time.Format(time.TimeOnly), got, known, err, want)
		}
	}
}

func TestWhatCannotBeRenderedClaimsNothing(t *testing.T) {
	s := newStand(t)
	s.subscribe(webhook.Subscription{
		ID: "s", Trigger: json.RawMessage(`{"once":true,"cap":{"max":1,"per":"1d"}}`),
		Request: &webhook.RequestSpec{Require: []string{"data.line_id"}},
	})
	blank, good := s.event("a", "u1", epoch, `{}`), s.event("a", "u1", epoch, `{"line_id":"x"}`)
	s.publish(blank, blank, good, s.event("a", "u1", epoch, `{"line_id":"x"}`))
	s.want("once", good)
	d, err := s.store.Delivery(t.Context(), "acme", webhook.DeliveryID("acme", blank.Key(), blank.AcceptedAt, "s", ""))
	if err != nil || d.Status != webhook.Canceled || d.Reason != webhook.ReasonMissingField {
		t.Errorf("delivery of the blank event = %s %s, %v, want canceled missing_field", d.Status, d.Reason, err)
	}
}

func TestCapsMayHaveAKeyOfTheirOwn(t *testing.T) {
	s := newStand(t)
	s.subscribe(webhook.Subscription{ID: "s", Trigger: json.RawMessage(`{"once":true,"cap":{"max":2,"per":"1d","key":"data.org"}}`)})
	e := make([]webhook.Event, 4)
	for i, user := range []string{"u1", "u2", "u3", "u3"} {
		e[i] = s.event("a", user, epoch, `{"org":7}`)
	}
	s.publish(e[0], e[1], e[2])
	s.want("within the cap", e[0], e[1])
	s.advance(24 * time.Hour)
	s.publish(e[2], e[3])
	s.want("a day later, since a refused event claimed nothing", e[3])
}

func TestAChangeOfTheCountBeginsAfreshAndOthersDoNot(t *testing.T) {
	s := newStand(t)
	sub := s.subscribe(webhook.Subscription{ID: "s", Trigger: json.RawMessage(`{"every":3}`)})
	change := func(url, trig string) {
		next := sub
		next.URL, next.Trigger = url, json.RawMessage(trig)
		next.TriggerEpoch = trigger.Epoch(sub, next)
		sub = s.subscribe(next)
	}
	events := func(n int) (last webhook.Event) {
		for range n {
			last = s.event("a", "u1", epoch, `{}`)
			s.publish(last)
		}
		return last
	}
	events(2)
	change("https://b.example", `{"every":3}`)
	s.want("after a change of url, which keeps the two", events(1))
	events(2)
	change("https://b.example", `{"every":2}`)
	events(1)
	s.want("after a change of every, which forgets them")
	s.want("then", events(1))
}

// wantOutcome compares why an event led to nothing.
func (s *stand) wantOutcome(sub webhook.Subscription, e webhook.Event, want webhook.Reason) {
	s.t.Helper()
	spec, err := trigger.Compile(sub)
	if err != nil {
		s.t.Fatal(err)
	}
	d, err := trigger.DecodeEvent(e)
	if err != nil {
		s.t.Fatal(err)
	}
	if got, known, err := spec.Outcome(s.t.Context(), s.store, sub, e, d); err != nil || !known || got.Do != trigger.Skip || got.Reason != want {
		s.t.Errorf("outcome of %s = %+v, %v, %v, want %s", e.ID, got, known, err, want)
	}
}

func TestTimersFireWhenTheyWereDueAtTheirStart(t *testing.T) {
	s := newStand(t)
	sub := s.subscribe(webhook.Subscription{ID: "s", Types: []string{"a"}, Trigger: json.RawMessage(`{"delay":"1d"}`)})
	start := s.event("a", "u1", epoch, `{}`)
	s.publish(start)
	next := sub
	next.Trigger, next.State = json.RawMessage(`{"delay":"2d"}`), webhook.Paused
	next.TriggerEpoch = trigger.Epoch(sub, next)
	next = s.subscribe(next)
	paused := s.event("a", "u2", epoch, `{}`)
	s.publish(paused)
	s.advance(24 * time.Hour)
	if len(s.sent) != 1 || s.sent[0].Version != next.Version {
		t.Errorf("sent %d deliveries, want one of version %d", len(s.sent), next.Version)
	}
	s.want("after the delay that was set then", start)
	s.advance(24 * time.Hour)
	s.want("though paused", paused)

	gone := s.event("a", "u3", s.now(), `{}`)
	s.publish(gone)
	if err := s.store.DeleteSubscription(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "s"}, next.Version); err != nil {
		t.Fatal(err)
	}
	s.advance(48 * time.Hour)
	s.want("after the subscription was deleted")
	s.wantOutcome(next, gone, webhook.ReasonDeleted)
}

func TestWhoBeginsAfreshForgetsItsTimers(t *testing.T) {
	s := newStand(t)
	sub := s.subscribe(webhook.Subscription{ID: "s", Trigger: json.RawMessage(`{"delay":"1d"}`)})
	e := s.event("a", "u1", epoch, `{"id":"x"}`)
	s.publish(e)
	next := sub
	next.Trigger = json.RawMessage(`{"delay":"1d","key":"data.id"}`)
	next.TriggerEpoch = trigger.Epoch(sub, next)
	s.subscribe(next)
	s.advance(48 * time.Hour)
	s.want("after the key was changed")
	s.wantOutcome(sub, e, webhook.ReasonNotDue)
}

func TestTheStateOfAKeyCanBeSeenAndErased(t *testing.T) {
	s := newStand(t)
	sub := s.subscribe(webhook.Subscription{ID: "s", Types: []string{"cart"}, Trigger: json.RawMessage(cart)})
	e := s.event("cart", "u1", epoch, `{}`)
	s.publish(e)
	spec, err := trigger.Compile(sub)
	if err != nil {
		t.Fatal(err)
	}
	key, err := spec.KeyRef(sub, "u1")
	if err != nil {
		t.Fatal(err)
	}
	v, found, err := trigger.ReadView(t.Context(), s.store, key)
	if err != nil || !found || v.Timer == nil || len(v.Timer.Waiting) != 1 || len(v.Events) != 1 || v.Events[0].Event != e.ID {
		t.Errorf("view = %+v, %v, %v, want one start that waits", v, found, err)
	}
	d, err := trigger.DecodeEvent(e)
	if err != nil {
		t.Fatal(err)
	}
	decided, known, err := spec.Outcome(t.Context(), s.store, sub, e, d)
	if err != nil || !known || decided.Do != trigger.Wait || !decided.Due.Equal(epoch.Add(time.Hour)) {
		t.Errorf("outcome = %+v, %v, %v, want to wait an hour", decided, known, err)
	}
	if err := trigger.Erase(t.Context(), s.store, key); err != nil {
		t.Fatal(err)
	}
	if v, found, err = trigger.ReadView(t.Context(), s.store, key); found || err != nil {
		t.Errorf("after erasure: view %+v, %v, %v", v, found, err)
	}
	s.advance(2 * time.Hour)
	s.want("after erasure")
}

func TestPreviewsChangeNothing(t *testing.T) {
	s := newStand(t)
	sub := s.subscribe(webhook.Subscription{ID: "s", Trigger: json.RawMessage(`{"every":2,"once":true}`)})
	spec, err := trigger.Compile(sub)
	if err != nil {
		t.Fatal(err)
	}
	evaluate := func(subject string) trigger.Decision {
		t.Helper()
		e := s.event("a", subject, epoch, `{}`)
		d, err := trigger.DecodeEvent(e)
		if err != nil {
			t.Fatal(err)
		}
		decision, err := spec.Evaluate(t.Context(), s.store, trigger.Asked{Subscription: sub, Event: e, Decoded: d}, s.now(), trigger.Always)
		if err != nil {
			t.Fatal(err)
		}
		return decision
	}
	for range 3 {
		if d := evaluate("u1"); d.Do != trigger.Skip || d.Reason != webhook.ReasonNotDue {
			t.Errorf("before the first event: %+v, want not_due", d)
		}
	}
	s.publish(s.event("a", "u1", epoch, `{}`))
	for range 3 {
		if d := evaluate("u1"); d.Do != trigger.Send || d.Count != 2 {
			t.Errorf("before the second event: %+v, want to send", d)
		}
	}
	s.publish(s.event("a", "u1", epoch, `{}`), s.event("a", "u1", epoch, `{}`))
	if d := evaluate("u1"); d.Reason != webhook.ReasonOnce {
		t.Errorf("before the fourth event: %+v, want once", d)
	}
	if d := evaluate(""); d.Reason != webhook.ReasonNoKey {
		t.Errorf("without subject: %+v, want no_key", d)
	}
}
