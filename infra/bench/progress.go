package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// lingering is how long the ledger stays open after the last arrival, for
// duplicates.
const lingering = 300 * time.Millisecond

// awaitAll waits until what was accepted has arrived, or nothing more comes.
func awaitAll(ctx context.Context, l *ledger) error {
	deadline := time.Now().Add(drainTime)
	seen, since := int64(-1), time.Now()
	for {
		arrived := l.arrived.Load()
		if arrived >= l.accepted.Load()*int64(l.subscribers) {
			break
		}
		if arrived != seen {
			seen, since = arrived, time.Now()
		}
		if time.Since(since) > quietAfter || time.Now().After(deadline) {
			break
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return pause(ctx, lingering)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// showProgress prints a line each second until stop is called.
func showProgress(w io.Writer, l *ledger) (stop func()) {
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for second, was := 1, int64(0); ; second++ {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			accepted, arrived := l.accepted.Load(), l.arrived.Load()
			fmt.Fprintf(w, "  %3d s: %d events accepted, %d callbacks (%d/s), %d on their way\n",
				second, accepted, arrived, arrived-was, accepted*int64(l.subscribers)-arrived)
			was = arrived
		}
	}()
	return func() { close(done); <-ended }
}

// sorted returns all times in ascending order.
func sorted(times ...[]time.Duration) []time.Duration {
	all := slices.Concat(times...)
	slices.Sort(all)
	return all
}
