package delivery_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

// occur stores the n-th event, as of now, and asks for its first attempt.
func (y *yard) occur(s webhook.Subscription, n int) string {
	y.t.Helper()
	e := y.event(n, "u1")
	if _, _, err := y.store.CreateEvent(y.t.Context(), webhook.StoredEvent{Event: e}); err != nil {
		y.t.Fatal(err)
	}
	return y.deliver(s, n)
}

func (y *yard) event(n int, subject string) webhook.Event {
	return webhook.Event{
		Tenant: "acme", ID: fmt.Sprint("e", n), Source: "/tenants/acme", Type: "a.b", Subject: subject,
		Time: y.clock, AcceptedAt: y.clock, Nonce: fmt.Sprint(n), Data: json.RawMessage(`{}`),
	}
}

// change saves a subscription's next version and has its line looked at.
func (y *yard) change(s webhook.Subscription, change func(*webhook.Subscription)) webhook.Subscription {
	y.t.Helper()
	change(&s)
	next, err := y.store.SaveSubscription(y.t.Context(), s, s.Version)
	if err != nil {
		y.t.Fatal(err)
	}
	y.push(message.Drain{Tenant: s.Tenant, Subscription: s.ID}.Encode(), y.clock)
	return next
}

func in(state webhook.State) func(*webhook.Subscription) {
	return func(s *webhook.Subscription) { s.State = state }
}

// wantEnd compares how a delivery ended.
func (y *yard) wantEnd(when, id string, status webhook.Status, why webhook.Reason) {
	y.t.Helper()
	if d := y.delivery(id); d.Status != status || d.Reason != why {
		y.t.Errorf("%s: delivery is %s for %q, %d attempts, waiting for %q, want %s for %q", when, d.Status, d.Reason, d.Attempts, d.Waiting, status, why)
	}
}

// wantLine compares how many deliveries stand in the line.
func (y *yard) wantLine(want int) {
	y.t.Helper()
	line, err := y.store.Line(y.t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "s"}, "", 100)
	if err != nil || len(line) != want {
		y.t.Errorf("%d deliveries in line, %v, want %d", len(line), err, want)
	}
}

func TestWhatWasHeldUntilItIsTooOldIsNotPosted(t *testing.T) {
	for _, state := range []webhook.State{webhook.Paused, webhook.Disabled} {
		t.Run(string(state), func(t *testing.T) {
			onEachStore(t, func(t *testing.T, y *yard) {
				s := y.subscribe("s", func(s *webhook.Subscription) { s.State, s.MaxAge = state, "1h" })
				old := y.occur(s, 1)
				y.play(noon.Add(90 * time.Minute))
				young := y.occur(s, 2)
				y.play(noon.Add(2 * time.Hour))
				y.change(s, in(webhook.Active))
				y.play(noon.Add(3 * time.Hour))
				y.wantEnd("held for two hours", old, webhook.Canceled, webhook.ReasonStale)
				y.wantEnd("held for half an hour", young, webhook.Succeeded, "")
				if posts := y.takePosts("/s"); len(posts) != 1 || posts[0].id != young {
					t.Errorf("posted %v, want only %s", posts, young)
				}
				if n := y.counts["deliveries_canceled"]; n != 1 {
					t.Errorf("%d cancellations counted, want 1", n)
				}
				y.wantLine(0)
			})
		})
	}
}

func TestTheAgeThatIsInForceAtReleaseDecides(t *testing.T) {
	y := newYard(t, inLocalMode(t), 2)
	s := y.subscribe("s", in(webhook.Paused))
	id := y.occur(s, 1)
	y.play(noon.Add(2 * time.Hour))
	y.change(s, func(s *webhook.Subscription) { s.State, s.MaxAge = webhook.Active, "1h" })
	y.play(noon.Add(3 * time.Hour))
	y.wantEnd("after max_age was set", id, webhook.Canceled, webhook.ReasonStale)
}

func TestWhatARateLimitHeldUntilItIsTooOldIsNotPosted(t *testing.T) {
	y := newYard(t, inLocalMode(t), 4)
	const n = 120 // more than the horizon holds
	s := y.subscribe("s", func(s *webhook.Subscription) { s.RateLimit, s.MaxAge = &webhook.RateLimit{PerSecond: 1}, "10s" })
	for i := range n {
		y.occur(s, i)
	}
	y.play(noon.Add(time.Hour))
	posts, ends := y.takePosts("/s"), map[string]int{}
	for _, d := range y.stored() {
		ends[fmt.Sprint(d.Status, d.Reason)]++
	}
	for _, p := range posts {
		if p.at.Sub(noon) > 10*time.Second {
			t.Fatalf("posted after %v, want nothing posted after 10s", p.at.Sub(noon))
		}
	}
	if len(posts) == 0 || ends["succeeded"] != len(posts) || ends["canceledstale"] != n-len(posts) {
		t.Errorf("%d posts, ends %v, want the posted succeeded and all others canceled as stale", len(posts), ends)
	}
}

func TestWhatABreakerHeldUntilItIsTooOldIsNotPosted(t *testing.T) {
	y := newYard(t, inLocalMode(t), 1)
	s := y.subscribe("s", func(s *webhook.Subscription) { s.MaxAge = "10m" })
	y.answers = func(string) int { return 500 }
	var posted, unposted []string
	for i := range 60 {
		y.occur(s, i)
	}
	y.play(noon.Add(time.Second))
	for _, d := range y.stored() {
		if d.Attempts > 0 {
			posted = append(posted, d.ID)
		} else {
			unposted = append(unposted, d.ID)
		}
	}
	if len(posted) == 0 || len(unposted) < 20 || y.counts["breaker_opened"] != 1 {
		t.Fatalf("%d posted, %d not, the breaker opened %d times", len(posted), len(unposted), y.counts["breaker_opened"])
	}
	y.clock = noon.Add(11 * time.Minute) // no probe meanwhile
	y.takePosts("/s")
	y.answers = func(string) int { return 200 }
	y.play(noon.Add(3 * 24 * time.Hour))
	for _, id := range unposted {
		y.wantEnd("never posted", id, webhook.Canceled, webhook.ReasonStale)
	}
	for _, id := range posted {
		y.wantEnd("posted once", id, webhook.Succeeded, "")
	}
	if n := len(y.takePosts("/s")); n != len(posted) {
		t.Errorf("%d posts, want %d: only retries", n, len(posted))
	}
	y.wantLine(0)
}

func TestRetriesAndWhatIsSentByHandAreOfAnyAge(t *testing.T) {
	y := newYard(t, inLocalMode(t), 2)
	s := y.subscribe("s", func(s *webhook.Subscription) { s.MaxAge = "30m" })
	y.answers = func(string) int { return 500 }
	retried := y.occur(s, 1)
	y.play(noon.Add(2 * time.Minute))
	s = y.change(s, in(webhook.Paused))
	byHand := y.occur(s, 2)
	y.play(noon.Add(2 * time.Hour))
	y.answers = func(string) int { return 200 }
	y.push(message.AttemptByHand{Tenant: "acme", Subscription: "s", Delivery: byHand}.Encode(), y.clock)
	y.play(noon.Add(3 * time.Hour))
	y.change(s, in(webhook.Active))
	y.play(noon.Add(5 * time.Hour))
	y.wantEnd("posted before the pause", retried, webhook.Succeeded, "")
	y.wantEnd("sent by hand", byHand, webhook.Succeeded, "")
}

// cancels has an event, of a time, cancel what waits for its subject at s.
func (y *yard) cancels(s webhook.Subscription, n int, subject string, at time.Time) {
	y.t.Helper()
	e := y.event(n, subject)
	e.Type, e.Time = "order", at
	spec, err := trigger.Compile(s)
	if err != nil {
		y.t.Fatal(err)
	}
	d, err := trigger.DecodeEvent(e)
	if err != nil {
		y.t.Fatal(err)
	}
	items, err := y.store.TriggerState(y.t.Context(), spec.CancelRefs(s, d, 1))
	if err != nil {
		y.t.Fatal(err)
	}
	changed, err := trigger.CancelBy(items[0], e, y.clock)
	if err != nil || changed == nil {
		y.t.Fatalf("cancel: %v, %v", changed, err)
	}
	if err := y.store.SaveTriggerState(y.t.Context(), []webhook.StateItem{*changed}); err != nil {
		y.t.Fatal(err)
	}
}

func TestWhatIsHeldIsCanceledByEvents(t *testing.T) {
	for name, tt := range map[string]struct {
		subject string
		at      time.Time // of the canceling event
		posts   int       // before the pause
		change  func(*webhook.Subscription)
		status  webhook.Status
		why     webhook.Reason
	}{
		"after the start":              {"u1", noon.Add(time.Second), 0, nil, webhook.Canceled, webhook.ReasonCanceledBy},
		"of the start's time, later":   {"u1", noon, 0, nil, webhook.Canceled, webhook.ReasonCanceledBy},
		"before the start":             {"u1", noon.Add(-time.Second), 0, nil, webhook.Succeeded, ""},
		"of another key":               {"u2", noon.Add(time.Second), 0, nil, webhook.Succeeded, ""},
		"after it was posted once":     {"u1", noon.Add(time.Second), 1, nil, webhook.Succeeded, ""},
		"by a clause removed since":    {"u1", noon.Add(time.Second), 0, func(s *webhook.Subscription) { s.Trigger = json.RawMessage(`{"delay":"1h"}`) }, webhook.Canceled, webhook.ReasonCanceledBy},
		"by a trigger removed since":   {"u1", noon.Add(time.Second), 0, func(s *webhook.Subscription) { s.Trigger = nil }, webhook.Canceled, webhook.ReasonCanceledBy},
		"and too old at the same time": {"u1", noon.Add(time.Second), 0, func(s *webhook.Subscription) { s.MaxAge = "1s" }, webhook.Canceled, webhook.ReasonStale},
	} {
		t.Run(name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, y *yard) {
				s := y.subscribe("s", func(s *webhook.Subscription) {
					s.Trigger = json.RawMessage(`{"delay":"1h","cancel":[{"types":["order"]}]}`)
				})
				y.answers = func(string) int { return 500 }
				held := s
				if tt.posts == 0 {
					held = y.change(s, in(webhook.Paused))
				}
				id := y.occur(s, 1)
				y.play(noon.Add(10 * time.Second))
				if tt.posts > 0 {
					held = y.change(s, in(webhook.Paused))
				}
				y.play(noon.Add(time.Hour))
				y.cancels(s, 2, tt.subject, tt.at)
				y.answers = func(string) int { return 200 }
				y.change(held, func(s *webhook.Subscription) {
					if s.State = webhook.Active; tt.change != nil {
						tt.change(s)
					}
				})
				y.play(noon.Add(2 * time.Hour))
				y.wantEnd(name, id, tt.status, tt.why)
				y.wantLine(0)
			})
		})
	}
}

func TestAReplayThatIsHeldIsNotCanceledByEvents(t *testing.T) {
	y := newYard(t, inLocalMode(t), 1)
	s := y.subscribe("s", func(s *webhook.Subscription) {
		s.State, s.Trigger = webhook.Paused, json.RawMessage(`{"delay":"1h","cancel":[{"types":["order"]}]}`)
	})
	e := y.event(1, "u1")
	if _, _, err := y.store.CreateEvent(t.Context(), webhook.StoredEvent{Event: e}); err != nil {
		t.Fatal(err)
	}
	id := webhook.DeliveryID("acme", e.Key(), y.clock, "s", "rep_1")
	y.push(message.FirstAttempt{
		Tenant: "acme", ID: id, Event: e.ID, Source: e.Source, Created: y.clock, Subscription: "s", Version: s.Version, Occasion: "rep_1",
		Target: webhook.Target{URL: webhook.Text{Plain: s.URL}}, Method: "POST", ContentType: "application/json", Body: `{}`,
	}.Encode(), y.clock)
	y.play(noon.Add(time.Minute))
	y.cancels(s, 2, "u1", noon.Add(time.Second))
	y.change(s, in(webhook.Active))
	y.play(noon.Add(time.Hour))
	y.wantEnd("replayed", id, webhook.Succeeded, "")
}

func TestWhatWasHeldWithoutAgeOrTriggerReadsNothingMore(t *testing.T) {
	onEachStore(t, func(t *testing.T, y *yard) {
		s := y.subscribe("s", in(webhook.Paused))
		id := y.occur(s, 1)
		y.play(noon.Add(time.Minute))
		y.change(s, in(webhook.Active))
		y.play(noon.Add(time.Hour))
		y.wantEnd("released", id, webhook.Succeeded, "")
		if y.calls["TriggerState"] != 0 || y.calls["Event"] != 1 { // the event for its url
			t.Errorf("%d reads of triggers and %d of events, want 0 and 1", y.calls["TriggerState"], y.calls["Event"])
		}
	})
}
