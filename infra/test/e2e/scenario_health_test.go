package e2e

import (
	"fmt"
	"time"
)

var healthScenarios = []scenario{
	{name: "five days of failure disable a subscription", play: continuousFailureDisables, clock: true},
	{name: "failures of long ago do not disable a subscription", play: oldFailuresDoNotCount, clock: true},
	{name: "failures among successes do not disable a subscription", play: sporadicFailuresDoNotCount, clock: true},
}

// attempt has one event delivered and answered so, and lets time pass.
func (s *scene) attempt(n int, status int, then time.Duration) {
	s.Helper()
	s.to.answer(map[string][]answer{"/s": {{Status: status}}})
	s.publish(fmt.Sprint("e", n), `{}`)
	s.came("s", n+1)
	s.delivery(fmt.Sprint("e", n), "s", "status", map[bool]string{true: "succeeded", false: "exhausted"}[status == 200])
	s.advance(then)
}

func (s *scene) wantState(want string) {
	s.Helper()
	if got := s.must(200, "GET", "/subscriptions/s", ""); got.str("state") != want {
		s.Fatalf("subscription %s, want it %s", got.text, want)
	}
}

func continuousFailureDisables(s *scene) {
	s.subscribe("s", `"types":["a.b"],"retry":{"schedule":[]}`)
	s.subscribe("ops", `"types":["postino.subscription.*"]`)
	n := 0
	for ; n < 10; n++ { // half a day each: the tenth failure is 4.5 days after the first
		s.attempt(n, 500, 12*time.Hour)
		s.wantState("active")
	}
	s.attempt(n, 500, time.Minute)
	s.until(func() string {
		got := s.must(200, "GET", "/subscriptions/s", "")
		if got.str("state") != "disabled" || got.str("disabled_reason") == "" {
			return fmt.Sprintf("subscription %s after five days of failure", got.text)
		}
		return ""
	})
	s.came("ops", 1)
	s.publish("waiting", `{}`)
	s.delivery("waiting", "s", "waiting", "disabled")
	s.to.answer(map[string][]answer{"/s": {{Status: 200}}})
	s.must(200, "POST", "/subscriptions/s/resume", "")
	s.advance(2 * time.Second)
	s.delivery("waiting", "s", "status", "succeeded")
	s.came("ops", 2) // recovered
}

func oldFailuresDoNotCount(s *scene) {
	s.subscribe("s", `"types":["a.b"],"retry":{"schedule":[]}`)
	for n := range 6 {
		s.attempt(n, 500, 49*time.Hour) // beyond the silence after which a failure begins anew
		s.wantState("active")
	}
}

func sporadicFailuresDoNotCount(s *scene) {
	s.subscribe("s", `"types":["a.b"],"retry":{"schedule":[]}`)
	for n := range 16 {
		s.attempt(n, map[bool]int{true: 200, false: 500}[n%5 == 4], 12*time.Hour)
		s.wantState("active")
	}
}
