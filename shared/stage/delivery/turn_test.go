package delivery_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// limited makes a subscription with a rate limit.
func (y *yard) limited(rate int) webhook.Subscription {
	return y.subscribe("s", func(s *webhook.Subscription) { s.RateLimit = &webhook.RateLimit{PerSecond: rate} })
}

func TestARateLimitIsKeptByManyWorkersAndDropsNothing(t *testing.T) {
	onEachStore(t, func(t *testing.T, y *yard) {
		const n, rate = 240, 6 // more than the horizon holds: half of it waits in line
		s := y.limited(rate)
		for i := range n {
			y.deliver(s, i)
		}
		y.play(noon.Add(2 * time.Second))
		timed, line := 0, 0
		for _, d := range y.stored() {
			switch {
			case d.Waiting == webhook.WaitRateLimit && d.InLine():
				line++
			case d.Waiting == webhook.WaitRateLimit && d.Timed():
				timed++
			}
			if d.Status == webhook.Pending && d.Attempts > 0 {
				t.Errorf("waiting counts as an attempt: %+v", d)
			}
		}
		if timed < 10*rate || line < 20 {
			t.Errorf("%d wait for their turn and %d in line", timed, line)
		}
		y.play(noon.Add(n * time.Second / rate * 11 / 10))
		posts := y.takePosts("/s")
		if got := succeeded(posts); len(got) != n || len(posts) != n {
			t.Fatalf("%d of %d arrived, by %d posts", len(got), n, len(posts))
		}
		if fast := most(posts, 10*time.Second); fast > rate*11 {
			t.Errorf("%d within ten seconds at %d a second", fast, rate)
		}
		for i := range posts[:n-10*rate] { // and no slower either
			if span := posts[i+10*rate-1].at.Sub(posts[i].at); span > 11*time.Second {
				t.Errorf("%d took %v from %v on", 10*rate, span, posts[i].at.Sub(noon))
				break
			}
		}
	})
}

// stored reads all deliveries.
func (y *yard) stored() (all []webhook.Delivery) {
	y.t.Helper()
	for _, id := range y.owed {
		all = append(all, y.delivery(id))
	}
	return all
}

func TestEachDeliveryWaitsOnceForItsTurn(t *testing.T) {
	y := newYard(t, inLocalMode(t), 8)
	const n, rate = 200, 20
	s := y.limited(rate)
	for i := range n {
		y.deliver(s, i)
	}
	y.play(noon.Add(time.Minute))
	if got := succeeded(y.takePosts("/s")); len(got) != n {
		t.Fatalf("%d of %d arrived", len(got), n)
	}
	if put := y.counts["deliveries_paced"]; put > n || y.counts["deliveries_parked"] > 0 {
		t.Errorf("%d deliveries were put off %d times, parked %d", n, put, y.counts["deliveries_parked"])
	}
	if y.calls["Reserve"] > 90 {
		t.Errorf("%d reservations for %d deliveries", y.calls["Reserve"], n)
	}
}

func TestRetriesTakeTurnsToo(t *testing.T) {
	y := newYard(t, inLocalMode(t), 4)
	s := y.limited(5)
	y.answers = func(string) int { return 500 }
	for i := range 15 {
		y.deliver(s, i)
	}
	y.play(noon.Add(50 * time.Second))
	y.answers = func(string) int { return 200 }
	y.play(noon.Add(2 * time.Minute))
	posts := y.takePosts("/s")
	if fast := most(posts, 10*time.Second); len(succeeded(posts)) != 15 || fast > 55 {
		t.Errorf("%d arrived, %d within ten seconds", len(succeeded(posts)), fast)
	}
	if fast := most(posts[15:], time.Second); fast > 7 {
		t.Errorf("%d retries within a second", fast)
	}
}

func TestAChangedLimitHoldsForWhatWaitsInLine(t *testing.T) {
	for name, next := range map[string]*webhook.RateLimit{"faster": {PerSecond: 50}, "none": nil} {
		t.Run(name, func(t *testing.T) {
			y := newYard(t, inLocalMode(t), 4)
			const n = 600
			s := y.limited(2) // five minutes of it
			for i := range n {
				y.deliver(s, i)
			}
			y.play(noon.Add(5 * time.Second))
			s.RateLimit = next
			if _, err := y.store.SaveSubscription(t.Context(), s, s.Version); err != nil {
				t.Fatal(err)
			}
			y.play(noon.Add(75 * time.Second))
			if got := succeeded(y.takePosts("/s")); len(got) != n {
				t.Errorf("%d of %d arrived within a minute of the change", len(got), n)
			}
		})
	}
}

// TestWhatWasHeldUpDoesNotComeAtOnce: all workers are away for a while, as when
// a process starts again.
func TestWhatWasHeldUpDoesNotComeAtOnce(t *testing.T) {
	y := newYard(t, inLocalMode(t), 4)
	const n, rate = 300, 10
	s := y.limited(rate)
	for i := range n {
		y.deliver(s, i)
	}
	y.play(noon.Add(3 * time.Second))
	y.takePosts("/s")
	y.clock = noon.Add(10 * time.Minute)
	y.play(noon.Add(12 * time.Minute))
	posts := y.takePosts("/s")
	if fast := most(posts, 10*time.Second); fast > rate*12 {
		t.Errorf("%d within ten seconds after an outage, at %d a second", fast, rate)
	}
	if left := n - len(succeeded(posts)); left > 4*rate {
		t.Errorf("%d have not arrived", left)
	}
}

// TestASlowWorkerStillPosts: messages always come ten seconds after their time.
func TestASlowWorkerStillPosts(t *testing.T) {
	y := newYard(t, inLocalMode(t), 1)
	const n, rate = 1200, 20
	s := y.limited(rate)
	y.workers[0].Retries = late{y}
	for i := range n {
		y.deliver(s, i)
	}
	y.play(noon.Add(3 * time.Minute))
	if got := succeeded(y.takePosts("/s")); len(got) != n {
		t.Errorf("%d of %d arrived", len(got), n)
	}
}

func TestALineDrainsWhileNewDeliveriesCome(t *testing.T) {
	y := newYard(t, inLocalMode(t), 6)
	const rate = 20
	s := y.limited(rate)
	random := rand.New(rand.NewPCG(1, 1))
	n := 0
	for n < 1500 { // a burst
		y.deliver(s, n)
		n++
	}
	for y.clock.Sub(noon) < 2*time.Minute { // and half of the rate all along
		y.deliver(s, n)
		n++
		y.play(y.clock.Add(time.Duration(random.ExpFloat64() * float64(time.Second) / rate * 2)))
	}
	y.play(noon.Add(5 * time.Minute))
	posts := y.takePosts("/s")
	if got := succeeded(posts); len(got) != n || len(posts) != n {
		t.Fatalf("%d of %d arrived, by %d posts", len(got), n, len(posts))
	}
	if fast := most(posts, 10*time.Second); fast > rate*11 {
		t.Errorf("%d within ten seconds at %d a second", fast, rate)
	}
	if span := posts[n-1].at.Sub(noon); span > time.Duration(n)*time.Second/rate*115/100 {
		t.Errorf("%d took %v at %d a second", n, span, rate)
	}
}

// late is a queue that hands messages out ten seconds after their time.
type late struct{ y *yard }

func (l late) Send(ctx context.Context, messages []queue.Message) error {
	for i := range messages {
		messages[i].Delay += 10 * time.Second
	}
	return l.y.Send(ctx, messages)
}
