package localqueue_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/platform/local/localqueue"
	"github.com/postino/postino/shared/queue"
)

// TestWhatIsDoneFastIsNotStored: who sends faster than messages are handled waits,
// so that they stay in memory.
func TestWhatIsDoneFastIsNotStored(t *testing.T) {
	bubble(t, func(t *testing.T) {
		dir := t.TempDir()
		s := openStages(t, dir, localqueue.Config{})
		s.split(t)
		consumeWith(t, s.then, localqueue.Options{Workers: 100, OwnerShare: 100, GroupShare: 100, Batch: 1}, func(context.Context, []queue.Message) []string {
			time.Sleep(20 * time.Millisecond) // 5,000 a second
			return nil
		})
		for range 300 {
			sendAll(t, s.first, message("g", strings.Repeat("x", 50)))
			time.Sleep(2 * time.Millisecond) // 25,000 a second
		}
		if n := backlog(s.then); n == 0 || n > 3000 {
			t.Errorf("%d messages wait of 15,000 that were sent faster than they are handled, want some, and 3,000 at most", n)
		}
		if _, then := left(t, dir); then != 0 {
			t.Errorf("%d messages are stored, want none", then)
		}
		time.Sleep(time.Minute)
		wantLeft(t, dir, 0, 0, "when all are done")
	})
}

// TestWhoIsSlowHoldsNobodyUp: what a slow handler leaves waiting keeps nothing else
// from being sent.
func TestWhoIsSlowHoldsNobodyUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		dir := t.TempDir()
		s := openStages(t, dir, localqueue.Config{})
		s.split(t)
		consumeWith(t, s.then, localqueue.Options{Workers: 100, Batch: 1}, func(context.Context, []queue.Message) []string {
			time.Sleep(4 * time.Second)
			return nil
		})
		for range 300 {
			sendAll(t, s.first, message("g", strings.Repeat("x", 50)))
		}
		time.Sleep(time.Second)
		if n := backlog(s.then); n < 14_000 {
			t.Errorf("%d messages were sent to a slow handler, want nearly all of 15,000", n)
		}
		time.Sleep(time.Hour)
		wantLeft(t, dir, 0, 0, "when all are done")
	})
}
