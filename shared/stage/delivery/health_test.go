package delivery_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

const day = 24 * time.Hour

// try makes one attempt at a time, of a delivery of its own.
func (y *yard) try(s webhook.Subscription, n, status int, at time.Duration) webhook.Delivery {
	y.t.Helper()
	y.play(noon.Add(at))
	y.answers = func(string) int { return status }
	id := y.deliver(s, n)
	y.play(y.clock)
	return y.delivery(id)
}

func TestFiveDaysOfNothingButFailureDisable(t *testing.T) {
	for _, tt := range []struct {
		name     string
		attempts []tried
		disabled bool
	}{
		{"continuous", []tried{{0, 500}, {day, 500}, {2 * day, 500}, {3 * day, 500}, {4 * day, 500}, {5*day - time.Minute, 500}}, false},
		{"continuous, for five days", []tried{{0, 500}, {day, 500}, {2 * day, 500}, {3 * day, 500}, {4 * day, 500}, {5 * day, 500}}, true},
		{"an old failure, silence, a new one", []tried{{0, 500}, {6 * day, 500}}, false},
		{"an old failure, silence, two new ones", []tried{{0, 500}, {6 * day, 500}, {7 * day, 500}}, false},
		{"a success in between", []tried{{0, 500}, {day, 500}, {2 * day, 500}, {3 * day, 200}, {4 * day, 500}, {5 * day, 500}, {6 * day, 500}}, false},
		{"five days after that success", []tried{{0, 500}, {3 * day, 200}, {4 * day, 500}, {5 * day, 500}, {6 * day, 500}, {7 * day, 500}, {8 * day, 500}, {9 * day, 500}}, true},
		{"answers that end deliveries for good", []tried{{0, 422}, {day, 422}, {2 * day, 422}, {3 * day, 422}, {4 * day, 422}, {5 * day, 422}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			y := newYard(t, inLocalMode(t), 2)
			s := y.subscribe("s", func(s *webhook.Subscription) { s.Retry.Schedule, s.Retry.Permanent = nil, []string{"422"} })
			for n, a := range tt.attempts {
				y.try(s, n, a.status, a.after)
			}
			head := y.head("s")
			if got := head.State == webhook.Disabled; got != tt.disabled {
				t.Fatalf("disabled %v, want %v; health %+v", got, tt.disabled, head.Health)
			}
			if !tt.disabled {
				return
			}
			subs, err := y.store.Versions(t.Context(), []webhook.VersionRef{{Tenant: "acme", ID: "s", Version: head.Version}})
			if err != nil || subs[0].DisabledReason != "five days of nothing but failure" || y.counts["subscriptions_disabled"] != 1 {
				t.Errorf("disabled %d times for %q, %v", y.counts["subscriptions_disabled"], subs[0].DisabledReason, err)
			}
			if d := y.try(s, 100, 200, 20*day); d.Waiting != webhook.WaitDisabled || d.Attempts != 0 {
				t.Errorf("a later delivery waits for %q after %d attempts", d.Waiting, d.Attempts)
			}
		})
	}
}

// tried is an attempt and how it is answered.
type tried struct {
	after  time.Duration
	status int
}

func TestFailingForDaysWritesAnHourAtMost(t *testing.T) {
	y := newYard(t, inLocalMode(t), 1)
	s := y.subscribe("s", func(s *webhook.Subscription) { s.Retry.Schedule = nil })
	for n := range 300 {
		y.try(s, n, 500, time.Duration(n)*10*time.Minute) // fifty hours
	}
	if writes := y.calls["SaveHealth"]; writes > 51 {
		t.Errorf("%d writes of health in fifty hours", writes)
	}
}

// TestProbesOfFiveDaysDisable: while a breaker is open only probes are made,
// and they fail.
func TestProbesOfFiveDaysDisable(t *testing.T) {
	y := newYard(t, inLocalMode(t), 2)
	s := y.subscribe("s", nil)
	y.answers = func(string) int { return 500 }
	for i := range 40 {
		y.deliver(s, i)
	}
	y.play(noon.Add(5*day - time.Hour))
	if y.head("s").State != webhook.Active {
		t.Error("disabled before five days have passed")
	}
	y.play(noon.Add(5*day + time.Hour))
	if head := y.head("s"); head.State != webhook.Disabled || head.Health != (webhook.Health{}) {
		t.Errorf("after five days of failing probes: %s, %+v", head.State, head.Health)
	}
	y.takePosts("/s")
	y.play(noon.Add(10 * day))
	if posts := y.takePosts("/s"); len(posts) > 0 {
		t.Errorf("%d attempts while disabled", len(posts))
	}
	y.play(noon.Add(32 * day))
	for _, d := range y.stored() {
		if d.Status != webhook.Exhausted || d.Reason != webhook.ReasonExpired {
			t.Fatalf("after thirty days a delivery is %s %q, waits for %q", d.Status, d.Reason, d.Waiting)
		}
	}
}

// TestHealthThatCannotBeWrittenHoldsUpNoDelivery breaks all that this file is
// about.
func TestHealthThatCannotBeWrittenHoldsUpNoDelivery(t *testing.T) {
	y := newYard(t, inLocalMode(t), 2)
	for _, w := range y.workers {
		w.Store = deaf{w.Store.(yardStore)}
	}
	s := y.subscribe("s", func(s *webhook.Subscription) { s.Retry.Schedule = []string{"1m"} })
	y.answers = func(string) int { return 500 }
	for i := range 50 {
		y.deliver(s, i)
	}
	y.play(noon.Add(30 * time.Second))
	y.answers = func(string) int { return 200 }
	y.play(noon.Add(time.Hour))
	if got := succeeded(y.takePosts("/s")); len(got) != 50 {
		t.Errorf("%d of 50 arrived", len(got))
	}
}

// deaf is a store that keeps no conditions.
type deaf struct{ yardStore }

var errDeaf = errors.New("throttled")

func (deaf) SaveHealth(context.Context, webhook.VersionRef, webhook.Health) error { return errDeaf }

func (deaf) AddTally(context.Context, webhook.SubscriptionRef, time.Time, webhook.Tally) (webhook.Tally, error) {
	return webhook.Tally{}, errDeaf
}
