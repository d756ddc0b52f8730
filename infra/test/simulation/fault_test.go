package simulation_test

import (
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// A scenario is a short life in which exactly one call goes wrong.
type scenario struct {
	name  string
	every int // tries each so manieth call only
	play  func(w *world)
}

func (w *world) at(after time.Duration, do func()) {
	w.plans = append(w.plans, plan{time.Now().Add(after), do})
}

func (w *world) owner(method, path, body string) func() {
	return func() { w.call(method, path, body, func(int, []byte) {}) }
}

// posted does something to the first delivery that was posted.
func (w *world) posted(method, what string) func() {
	return func() {
		if len(w.ids) > 0 {
			w.call(method, "/deliveries/"+w.ids[0]+what, "", func(int, []byte) {})
		}
	}
}

var scenarios = []scenario{
	{"first attempts, retries and their end", 1, func(w *world) {
		w.subscribe(2)
		w.at(0, w.publish(2, false))
		w.at(3*time.Hour, w.redrive)
	}},
	{"a pause, a line and its drain", 1, func(w *world) {
		w.subscribe(2)
		w.at(0, w.owner("POST", "/subscriptions/s0/pause", ""))
		w.at(time.Second, w.publish(3, false))
		w.at(time.Minute, w.owner("POST", "/subscriptions/s0/resume", ""))
		w.at(time.Minute, w.owner("POST", "/subscriptions/s0/pause", ""))
		w.at(time.Minute, w.owner("POST", "/subscriptions/s0/resume", ""))
	}},
	{"attempts by hand, a cancellation and a deletion", 1, func(w *world) {
		w.subscribe(3)
		w.at(0, w.publish(2, false))
		w.at(time.Second, w.posted("POST", "/retry"))
		w.at(2*time.Second, w.owner("DELETE", "/subscriptions/s0", ""))
		w.at(3*time.Second, func() {
			if len(w.ids) > 1 {
				w.canceled[w.ids[1]] = true
				w.call("POST", "/deliveries/"+w.ids[1]+"/cancel", "", func(int, []byte) {})
			}
		})
		w.at(4*time.Hour, w.posted("POST", "/retry"))
	}},
	{"a breaker that opens, probes and closes", 7, func(w *world) {
		w.calm = true
		w.subscribe(1)
		w.spells["/0"] = span{time.Now(), time.Now().Add(4 * time.Minute)}
		w.at(0, w.publish(3, false))
		w.at(30*time.Second, w.publish(3, false))
	}},
	{"a burst under a rate limit", 7, func(w *world) {
		w.calm = true
		w.subscribe(2)
		w.at(0, w.publish(6, false))
	}},
	{"a wait of thirty days", 200, func(w *world) {
		w.calm, w.expires = true, true
		w.subscribe(1)
		w.at(0, w.owner("POST", "/subscriptions/s0/pause", ""))
		w.at(time.Second, w.publish(1, false))
		w.at(31*24*time.Hour, func() { w.expires = true })
	}},
	{"an event sent again", 1, func(w *world) {
		w.subscribe(3)
		w.at(0, w.publish(1, false))
		w.at(time.Minute, w.replay)
		w.at(time.Minute, w.owner("PATCH", "/subscriptions/s1", `{"url":"https://b.example/"}`))
	}},
	{"an event sent again to a plan of two pages", 97, func(w *world) {
		w.calm = true
		w.subscribe(130)
		w.at(0, w.publish(1, false))
		w.at(time.Minute, w.replay)
	}},
	{"a plan of two pages", 97, func(w *world) {
		w.calm = true
		w.subscribe(130)
		w.at(0, w.publish(1, false))
	}},
	{"a large plan decided while a subscription changes", 97, func(w *world) {
		w.calm = true
		w.subscribe(210)
		w.at(0, w.publish(1, false))
		w.changed["s2"], w.changed["s3"] = true, true
		w.at(30*time.Second, w.owner("PATCH", "/subscriptions/s2", `{"types":["none"]}`))
	}},
}

// playOneFault plays a scenario in which the n-th call goes wrong, and returns
// how many calls there were.
func playOneFault(t *testing.T, s scenario, n int, v verdict) (calls int, trouble []string) {
	synctest.Test(t, func(*testing.T) {
		w := newWorld(uint64(n), noBug)
		w.faults, w.chaotic = 0, true
		w.fault = func(number int, _ string) verdict {
			if number == n {
				return v
			}
			return pass
		}
		s.play(w)
		end := time.Now().Add(5 * time.Hour)
		if w.expires {
			end = time.Now().Add(32 * 24 * time.Hour)
		}
		w.playUntil(end)
		w.heal()
		w.play()
		calls = w.calls
		w.check()
		for _, text := range w.trouble {
			trouble = append(trouble, fmt.Sprintf("%s, call %d of %d, %v: %s", s.name, n, calls, verdictNames[v], text))
		}
	})
	return calls, trouble
}

var verdictNames = map[verdict]string{
	failBefore: "failed", failAfter: "failed but was carried out", dieBefore: "crash before it", dieAfter: "crash after it",
}

// Of scenarios that take long each call goes wrong in two of the four ways, and
// in all with POSTINO_PROVE.
func TestOneFaultAtAnyCallLosesNothing(t *testing.T) {
	all := os.Getenv("POSTINO_PROVE") != ""
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			played := 0
			for v := failBefore; v <= dieAfter; v++ {
				for n, calls := 1, 400; n <= calls && n < 400; n++ {
					if n > 12 && n%s.every != 0 || !all && s.every > 1 && (n+int(v))%2 == 0 {
						continue
					}
					var trouble []string
					calls, trouble = playOneFault(t, s, n, v)
					played++
					for _, text := range trouble {
						t.Error(text)
					}
					if len(trouble) > 0 {
						return
					}
				}
			}
			t.Logf("%d lives", played)
		})
	}
}
