package manage_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/stage/manage"
	"github.com/postino/postino/shared/webhook"
)

// slow is a tester whose tests last until they are told to end.
type slow struct {
	begun chan struct{}
	end   chan struct{}
}

func (s slow) Test(context.Context, webhook.Subscription, webhook.Trial) (webhook.Attempt, error) {
	s.begun <- struct{}{}
	<-s.end
	return webhook.Attempt{StatusCode: 204}, nil
}

const tryIt = `{"event":{"type":"a","data":1}}`

// Two handlers on one store stand for two processes.
func TestATenantHasEightPlacesForTestsInAllProcesses(t *testing.T) {
	w := openWithPortal(t)
	other := &manage.Handler{Store: w.store, Secrets: w.Secrets, Destinations: w.Destinations, Auth: w.Auth, Resend: w, Backlogs: w.Backlogs, Now: w.now}
	real, tester := time.Now(), slow{make(chan struct{}, 100), make(chan struct{})}
	var clock sync.Mutex
	now := func() time.Time {
		clock.Lock()
		defer clock.Unlock()
		return real
	}
	for _, h := range []*manage.Handler{w.Handler, other} {
		h.Tester = tester
		h.TestClock(now)
	}
	w.must(t, 201, "PUT", sub+"/s", `{"url":"https://a.example/"}`)
	w.must(t, 201, "PUT", "//v1/tenants/other/subscriptions/s", `{"url":"https://a.example/"}`)
	second := &world{Handler: other}
	var tests sync.WaitGroup
	for i := range manage.TestPlaces {
		tests.Go(func() {
			process := w
			if i%2 == 0 {
				process = second
			}
			if got := process.asPortal("POST", sub+"/s/test", tryIt); got.status != 200 {
				t.Errorf("test %d = %d %s", i, got.status, got.body)
			}
		})
		<-tester.begun
	}
	for range 50 {
		got := w.asPortal("POST", sub+"/s/test", tryIt)
		if again := second.asPortal("POST", sub+"/s/test", tryIt); got.status != 429 || again.status != 429 || got.header.Get("Retry-After") != "4" {
			t.Fatalf("a ninth test = %d, %d in another process, Retry-After %q; want 429 in 4", got.status, again.status, got.header.Get("Retry-After"))
		}
	}
	if got := w.asPortal("POST", sub+"/s/preview", tryIt); got.status != 200 {
		t.Errorf("a preview meanwhile = %d %s", got.status, got.body)
	}
	tests.Go(func() {
		if got := w.do(t, "POST", "//v1/tenants/other/subscriptions/s/test", tryIt); got.status != 200 {
			t.Errorf("another tenant's test = %d %s", got.status, got.body)
		}
	})
	<-tester.begun
	close(tester.end)
	tests.Wait()
	if got := w.asPortal("POST", sub+"/s/test", tryIt); got.status != 429 {
		t.Errorf("a test right after eight quick ones = %d, want 429", got.status)
	}
	tick := func(d time.Duration) {
		clock.Lock()
		defer clock.Unlock()
		real = real.Add(d)
	}
	const often = 100 * time.Millisecond
	again := false
	for passed := time.Duration(0); passed < 2*manage.TestHold && !again; passed += often { // whoever goes on asking delays nothing
		tick(often)
		again = w.asPortal("POST", sub+"/s/test", tryIt).status == 200
	}
	if !again {
		t.Error("no test again, although nothing is under way: who asks all the time is refused for ever")
	}
	tick(manage.TestHold)
	for i := range manage.TestPlaces {
		if got := w.asPortal("POST", sub+"/s/test", tryIt); got.status != 200 {
			t.Errorf("test %d after four seconds = %d %s", i, got.status, got.body)
		}
	}
}
