package delivery_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// most returns the most posts within any time of a length.
func most(posts []post, within time.Duration) (n int) {
	first := 0
	for i, p := range posts {
		for p.at.Sub(posts[first].at) >= within {
			first++
		}
		n = max(n, i-first+1)
	}
	return n
}

func succeeded(posts []post) (ids map[string]int) {
	ids = map[string]int{}
	for _, p := range posts {
		if p.status == 200 {
			ids[p.id]++
		}
	}
	return ids
}

func TestABreakerSparesAFailingSubscriberAndItsDeliveriesTheirAttempts(t *testing.T) {
	onEachStore(t, func(t *testing.T, y *yard) {
		s := y.subscribe("s", nil)
		y.answers = func(string) int { return 500 }
		const n = 80
		var ids []string
		for i := range n {
			ids = append(ids, y.deliver(s, i))
			y.play(y.clock.Add(100 * time.Millisecond))
		}
		// Eight workers report once a second each, so it takes more than twenty.
		failures := len(y.takePosts("/s"))
		if failures < 20 || failures > 40 || y.counts["breaker_opened"] != 1 {
			t.Errorf("%d attempts of %d deliveries before it opened, %d times", failures, n, y.counts["breaker_opened"])
		}
		last := y.delivery(ids[n-1])
		if last.Waiting != webhook.WaitBreaker || last.Attempts != 0 || last.Step != 0 || !last.InLine() {
			t.Errorf("the last delivery waits for %q after %d attempts", last.Waiting, last.Attempts)
		}
		y.play(noon.Add(90 * time.Second)) // the first ones' retries fall due
		first := y.delivery(ids[0])
		if first.Waiting != webhook.WaitBreaker || first.Step != 1 {
			t.Errorf("the first delivery waits for %q at step %d", first.Waiting, first.Step)
		}
		y.play(noon.Add(30 * time.Minute))
		probes := y.takePosts("/s")
		if len(probes) < 6 || len(probes) > 10 || most(probes, time.Minute) > 2 {
			t.Errorf("%d attempts in half an hour", len(probes))
		}
		if !probes[0].at.After(noon.Add(30 * time.Second)) {
			t.Errorf("the first probe came after %v", probes[0].at.Sub(noon))
		}
		probed := y.delivery(probes[0].id)
		if probed.Attempts == 0 || probed.Step > 1 || probed.Waiting != webhook.WaitBreaker {
			t.Errorf("what was probed stands at %d attempts, step %d, waiting %q", probed.Attempts, probed.Step, probed.Waiting)
		}
		y.answers = func(string) int { return 200 }
		y.play(y.clock.Add(7 * time.Minute))
		if got := succeeded(y.takePosts("/s")); len(got) != n || y.counts["breaker_closed"] != 1 {
			t.Errorf("%d of %d arrived after it closed %d times", len(got), n, y.counts["breaker_closed"])
		}
		if h := y.head("s").Health; !h.FailingSince.IsZero() || h.Breaker.Open() {
			t.Errorf("health afterwards: %+v", h)
		}
	})
}

func TestAHealthySubscriberCostsNothingMore(t *testing.T) {
	onEachStore(t, func(t *testing.T, y *yard) {
		s := y.subscribe("s", nil)
		for i := range 100 {
			y.deliver(s, i)
		}
		y.play(noon.Add(time.Hour))
		want := map[string]int{"Heads": 100, "DeliveriesByID": 100, "SaveDelivery": 100, "Versions": len(y.workers)}
		for method, n := range y.calls {
			if n != want[method] {
				t.Errorf("%d calls of %s, want %d", n, method, want[method])
			}
		}
	})
}

func TestFewFailuresOpenNoBreaker(t *testing.T) {
	y := newYard(t, inLocalMode(t), 4)
	s := y.subscribe("s", func(s *webhook.Subscription) { s.Retry.Schedule = []string{"1s", "2s", "4s", "8s"} })
	y.answers = func(string) int { return 500 }
	for i := range 3 {
		y.deliver(s, i)
	}
	y.play(noon.Add(time.Hour))
	if posts := y.takePosts("/s"); len(posts) != 15 || y.counts["breaker_opened"] != 0 {
		t.Errorf("3 deliveries with 4 retries made %d attempts, opened %d", len(posts), y.counts["breaker_opened"])
	}
}

// TestOneBadDeliveryDoesNotKeepABreakerOpen: the oldest is refused for ever,
// and all others would be taken.
func TestOneBadDeliveryDoesNotKeepABreakerOpen(t *testing.T) {
	y := newYard(t, inLocalMode(t), 1)
	s := y.subscribe("s", nil)
	receiver := &refusing{Doer: y.workers[0].Client, y: y}
	y.workers[0].Client = receiver
	y.answers = func(string) int { return 500 }
	for i := range 60 {
		y.deliver(s, i)
	}
	y.play(noon.Add(time.Second))
	oldest, err := y.store.Line(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "s"}, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	y.answers = func(string) int { return 200 }
	receiver.id = oldest[0]
	y.play(noon.Add(20 * time.Minute))
	if y.counts["breaker_closed"] != 1 || len(succeeded(y.takePosts("/s"))) != 59 {
		t.Errorf("the breaker closed %d times in 20 minutes", y.counts["breaker_closed"])
	}
}

// TestALostProbeIsMadeUpFor: no queue should lose a message, and yet.
func TestALostProbeIsMadeUpFor(t *testing.T) {
	for name, tt := range map[string]struct {
		another time.Duration // when another delivery comes, if any
		within  time.Duration
	}{
		"by the next delivery that is parked": {4 * time.Minute, 10 * time.Minute},
		"by the audit of the line":            {0, 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			y := newYard(t, inLocalMode(t), 1)
			s := y.subscribe("s", nil)
			y.answers = func(string) int { return 500 }
			y.loses = func(body string) bool { return strings.Contains(body, `"probe"`) }
			for i := range 60 {
				y.deliver(s, i)
			}
			y.play(noon.Add(3 * time.Minute))
			if posts := y.takePosts("/s"); len(posts) != 20 {
				t.Fatalf("%d attempts, want 20 and no probe", len(posts))
			}
			y.loses, y.answers = nil, func(string) int { return 200 }
			if tt.another > 0 {
				y.play(noon.Add(tt.another))
				y.deliver(s, 60)
			}
			y.play(noon.Add(tt.within))
			if got := succeeded(y.takePosts("/s")); len(got) != len(y.owed) {
				t.Errorf("%d of %d arrived", len(got), len(y.owed))
			}
		})
	}
}

func TestAnEmptyLineClosesTheBreaker(t *testing.T) {
	y := newYard(t, inLocalMode(t), 1)
	s := y.subscribe("s", func(s *webhook.Subscription) { s.Retry.Schedule = []string{} })
	y.answers = func(string) int { return 500 }
	for i := range 20 {
		y.deliver(s, i)
	}
	y.play(noon.Add(time.Second))
	if !y.head("s").Health.Breaker.Open() {
		t.Fatal("twenty failures opened no breaker")
	}
	y.play(noon.Add(time.Minute))
	if y.head("s").Health.Breaker.Open() || len(y.pending) > 1 { // an audit may be left
		t.Errorf("with nothing waiting the breaker stays open; %d messages are pending", len(y.pending))
	}
}

func TestANewVersionClosesTheBreakerAndItsLineFollows(t *testing.T) {
	y := newYard(t, inLocalMode(t), 2)
	s := y.subscribe("s", nil)
	y.answers = func(path string) int { return map[string]int{"/s": 500, "/mended": 200}[path] }
	for i := range 60 {
		y.deliver(s, i)
	}
	y.play(noon.Add(time.Second))
	s.URL = "https://a.example/mended"
	if _, err := y.store.SaveSubscription(t.Context(), s, s.Version); err != nil {
		t.Fatal(err)
	}
	y.play(noon.Add(10 * time.Minute))
	if got := succeeded(y.takePosts("/mended")); len(got) != 60 {
		t.Errorf("%d of 60 arrived at the mended url", len(got))
	}
}

// TestABreakerOpenForADay is the proof that an unreachable subscriber with a
// long line costs nothing, and hurts nobody.
func TestABreakerOpenForADay(t *testing.T) {
	n := 2_000
	if os.Getenv("POSTINO_PROVE") != "" {
		n = 100_000
	}
	const rate = 50
	y := newYard(t, inLocalMode(t), 8)
	s := y.subscribe("s", func(s *webhook.Subscription) { s.RateLimit = &webhook.RateLimit{PerSecond: rate} })
	other := y.subscribe("other", nil)
	y.answers = func(path string) int { return map[string]int{"/s": 503, "/other": 200}[path] }
	for i := range n {
		y.deliver(s, i)
		if i%10 == 0 {
			y.play(y.clock.Add(time.Second / 5)) // as fast as the limit lets pass
		}
	}
	y.play(y.clock.Add(time.Minute))
	if failed := len(y.takePosts("/s")); failed > 60 {
		t.Errorf("%d attempts before the breaker opened", failed)
	}
	spent := map[string]int{}
	healthy := 0
	for hour := range 24 {
		clear(y.calls)
		for end := y.clock.Add(time.Hour); y.clock.Before(end); {
			healthy++
			sent := y.clock
			y.deliver(other, n+healthy)
			y.play(y.clock.Add(5 * time.Minute))
			if got := y.takePosts("/other"); len(got) != 1 || got[0].at != sent {
				t.Fatalf("hour %d: a neighbour's delivery was posted %d times", hour, len(got))
			}
		}
		if probes := len(y.takePosts("/s")); probes < 11 || probes > 14 {
			t.Errorf("hour %d: %d attempts to the failing subscriber, want a probe each five minutes", hour, probes)
		}
		if total := sum(y.calls); total > 400 {
			t.Errorf("hour %d: %d calls to store and queues: %v", hour, total, y.calls)
		}
		for method, calls := range y.calls {
			spent[method] += calls
		}
	}
	t.Logf("a day of %d waiting: %d calls to store and queues: %v", n, sum(spent), spent)
	y.answers = func(string) int { return 200 }
	begin := y.clock
	y.play(begin.Add(8*time.Minute + time.Duration(n)*time.Second/rate))
	posts := y.takePosts("/s")
	if got := succeeded(posts); len(got) != n || len(posts) != n {
		t.Fatalf("%d of %d arrived after recovery, by %d posts", len(got), n, len(posts))
	}
	if fast := most(posts, 10*time.Second); fast > rate*11 {
		t.Errorf("%d within ten seconds at %d a second", fast, rate)
	}
	drain := posts[len(posts)-1].at.Sub(posts[3].at) // after the probes
	if want := time.Duration(n) * time.Second / rate; drain > want*11/10+5*time.Second {
		t.Errorf("the line took %v, want %v", drain, want)
	}
}

func sum(calls map[string]int) (total int) {
	for _, n := range calls {
		total += n
	}
	return total
}
