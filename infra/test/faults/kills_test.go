package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func TestKillingItLosesNothingAcknowledged(t *testing.T) {
	rounds := 5
	if os.Getenv("POSTINO_PROVE") != "" {
		rounds = 200
	}
	data, l := filepath.Join(t.TempDir(), "data"), newLedger()
	r := newReceiver(t, l)
	p := start(t, data)
	r.subscribe(t, p, "s", "")
	for round := range rounds {
		ctx, stop := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { publish(ctx, p, fmt.Sprint(round), 32, l) })
		time.Sleep(time.Duration(100+rand.IntN(500)) * time.Millisecond) // the moment is to be any
		p.kill()
		stop()
		done.Wait()
		p = start(t, data)
	}
	l.settle(t)
	t.Logf("%d events acknowledged over %d kills", len(l.accepted), rounds)
	if len(l.accepted) == 0 {
		t.Error("nothing was acknowledged: nothing is proven")
	}
	if err := p.terminate(); err != nil {
		t.Error(err)
	}
}

func TestTerminatingItDrains(t *testing.T) {
	t.Parallel()
	data, l := filepath.Join(t.TempDir(), "data"), newLedger()
	r := newReceiver(t, l)
	p := start(t, data)
	r.subscribe(t, p, "s", "")
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { publish(ctx, p, "run", 8, l) })
	time.Sleep(300 * time.Millisecond)
	if err := p.terminate(); err != nil {
		t.Errorf("it ended with %v: %s", err, p.stderr)
	}
	stop()
	done.Wait()
	p = start(t, data)
	l.settle(t)
	if err := p.terminate(); err != nil {
		t.Error(err)
	}
}

// deaths is how often a process is killed in the middle of one kind of work.
func deaths() int {
	if os.Getenv("POSTINO_PROVE") != "" {
		return 20
	}
	return 3
}

// killDuring kills the process each time that the receiver has got some more,
// starts it again, and returns the last one.
func killDuring(t *testing.T, p *process, r *receiver, step int64, again func() *process) *process {
	t.Helper()
	for range deaths() {
		from := r.posts.Load() + 1 + rand.Int64N(step)
		for deadline := time.Now().Add(30 * time.Second); r.posts.Load() < from; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("only %d callbacks came, waiting for %d: %s", r.posts.Load(), from, p.stderr)
			}
		}
		p.kill()
		p = again()
	}
	return p
}

func TestKillingItInTheMiddleOfADrainLosesNothing(t *testing.T) {
	t.Parallel()
	data, l := filepath.Join(t.TempDir(), "data"), newLedger()
	r := newReceiver(t, l)
	p := start(t, data)
	r.subscribe(t, p, "s", `,"state":"paused"`)
	publishSome(t, p, "waiting", 100+60*deaths(), l)
	if status, answer := p.call(t.Context(), http.DefaultClient, "POST", "/subscriptions/s/resume", ""); status != 200 {
		t.Fatalf("resume: %d %s", status, answer)
	}
	p = killDuring(t, p, r, 40, func() *process { return start(t, data) })
	l.settle(t)
	if err := p.terminate(); err != nil {
		t.Error(err)
	}
}

// TestKillingItInTheMiddleOfASweepLosesNothing: what waits for more than 15
// minutes stands in the table; half an hour later a sweep sends it, and is
// killed over and over.
func TestKillingItInTheMiddleOfASweepLosesNothing(t *testing.T) {
	t.Parallel()
	data, l := filepath.Join(t.TempDir(), "data"), newLedger()
	r := newReceiver(t, l)
	p := startSkewed(t, data, time.Nanosecond)
	r.status.Store(500)
	r.subscribe(t, p, "s", `,"retry":{"schedule":["20m","20m"]}`)
	events := 100 + 60*deaths()
	publishSome(t, p, "late", events, l)
	for deadline := time.Now().Add(30 * time.Second); p.waiting(t) < events; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d wait for a sweep", p.waiting(t), events)
		}
	}
	p.kill()
	r.status.Store(200)
	skew := 30 * time.Minute
	again := func() *process {
		skew += 2 * time.Minute // beyond the claims of the last life
		return startSkewed(t, data, skew)
	}
	p = killDuring(t, again(), r, 40, again)
	l.settle(t)
	if err := p.terminate(); err != nil {
		t.Error(err)
	}
}

// waiting counts deliveries that wait for a later attempt.
func (p *process) waiting(t *testing.T) (n int) {
	t.Helper()
	for cursor := ""; ; {
		status, answer := p.call(t.Context(), http.DefaultClient, "GET", "/deliveries?status=pending&limit=250"+cursor, "")
		var page struct {
			Data []struct{ Waiting string }
			Next *string `json:"next_cursor"`
		}
		if err := json.Unmarshal(answer, &page); err != nil || status != 200 {
			t.Fatalf("list: %d %s", status, answer)
		}
		for _, d := range page.Data {
			if d.Waiting == "retry" || d.Waiting == "breaker" { // which opens when all of them fail
				n++
			}
		}
		if page.Next == nil {
			return n
		}
		cursor = "&cursor=" + *page.Next
	}
}
