package faults

import (
	"context"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestAClockThatJumpsLosesNothing: the clock is put forward and back by an
// hour while events come, retries wait and a line drains; and the process is
// killed and started with a clock that is wrong.
func TestAClockThatJumpsLosesNothing(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	steady, retried := newLedger(), newLedger()
	good, bad := newReceiver(t, steady), newReceiver(t, retried)
	bad.status.Store(503)
	p := startSkewed(t, data, time.Nanosecond)
	good.subscribe(t, p, "good", "")
	bad.subscribe(t, p, "bad", `,"retry":{"schedule":["1s","1s","1s","20m","20m","20m","20m"]}`)

	load := func(run string, during func()) {
		ctx, stop := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { publish(ctx, p, run, 4, steady, retried) })
		pause(t, 200*time.Millisecond)
		during()
		pause(t, 200*time.Millisecond)
		stop()
		done.Wait()
	}
	load("forward", func() { p.jump(t, syscall.SIGUSR1) })
	load("back", func() { p.jump(t, syscall.SIGUSR2) })
	load("further-back", func() { p.jump(t, syscall.SIGUSR2) })
	steady.settle(t) // whatever the clock says

	p.kill()
	p = startSkewed(t, data, -time.Hour)
	load("an-hour-early", func() {})
	steady.settle(t)
	p.kill()
	p = startSkewed(t, data, time.Hour)
	bad.status.Store(200)
	load("an-hour-late", func() {})
	steady.settle(t)
	p.jump(t, syscall.SIGUSR1) // beyond all that waits
	retried.settle(t)
	if err := p.terminate(); err != nil {
		t.Error(err)
	}
}

// pause lets the load go on for a while; nothing is expected of the moment.
func pause(t *testing.T, d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}
