package localqueue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/platform/local/localqueue"
	"github.com/postino/postino/shared/queue"
)

func TestWaitingIsCountedByOwner(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := openQueue(t, openSet(t, t.TempDir(), localqueue.Config{Memory: 2000}), "q", localqueue.QueueConfig{})
		check := func(when string, acme, other int) {
			t.Helper()
			if a, o := q.Waiting("acme"), q.Waiting("other"); a != acme || o != other {
				t.Errorf("%s: %d of acme and %d of other wait, want %d and %d", when, a, o, acme, other)
			}
		}
		delayed := message("acme/s1", "later")
		delayed.Delay = time.Minute
		for range 10 { // more than memory holds
			sendAll(t, q, message("acme/s1", "a"), message("acme/s2", "b"), message("acme", "c"), message("other/s1", "d"))
		}
		sendAll(t, q, delayed)
		check("after sending", 30, 10)
		got, err := q.Receive(t.Context(), 4, 0)
		if err != nil || len(got) != 4 {
			t.Fatalf("received %d, %v", len(got), err)
		}
		check("with four handed out", 27, 9)
		if err := q.Delete(t.Context(), []string{got[0].Receipt}); err != nil {
			t.Fatal(err)
		}
		check("with one of them deleted", 27, 9)
		receiveAll(t, q)
		check("with all handed out", 0, 0)
	})
}

func TestMessagesThatNobodyReadsTakeNoMemory(t *testing.T) {
	set := openSet(t, t.TempDir(), localqueue.Config{})
	q := openQueue(t, set, "exhausted", localqueue.QueueConfig{})
	for i := range 100 {
		sendAll(t, q, message(fmt.Sprint("g", i), "body"))
	}
	if bytes, entries, _ := set.Held(); bytes != 0 || entries > 100 {
		t.Errorf("%d bytes in %d entries are held for a queue that nobody reads", bytes, entries)
	}
	if got := receiveAll(t, q); len(got) != 100 {
		t.Errorf("received %d, want 100", len(got))
	}
}

// TestReadingBackRespectsTheLimit: many groups with much on the disk do not
// fill memory when their turns come, and all of it is handled.
func TestReadingBackRespectsTheLimit(t *testing.T) {
	const limit, groups, each, size = 100 << 10, 50, 20, 10 << 10
	set := openSet(t, t.TempDir(), localqueue.Config{Memory: limit})
	q := openQueue(t, set, "q", localqueue.QueueConfig{})
	for g := range groups {
		var messages []queue.Message
		for range each {
			messages = append(messages, message(fmt.Sprint("g", g), strings.Repeat("x", size)))
		}
		sendAll(t, q, messages...)
	}
	var handled, most atomic.Int64
	done := make(chan struct{})
	consumeWith(t, q, localqueue.Options{Workers: 4, Batch: 1}, func(context.Context, []queue.Message) []string {
		bytes, _, _ := set.Held()
		for now := most.Load(); int64(bytes) > now && !most.CompareAndSwap(now, int64(bytes)); now = most.Load() {
		}
		if handled.Add(1) == groups*each {
			close(done)
		}
		return nil
	})
	<-done
	if bound := int64(limit + groups*(size+250)); most.Load() > bound {
		t.Errorf("memory held up to %d bytes, want at most %d of %d", most.Load(), bound, groups*each*size)
	}
}

// TestADatabaseThatTakesNoOutcomesStopsTheConsumers: what was handled and
// cannot be noted would be handled again and again.
func TestADatabaseThatTakesNoOutcomesStopsTheConsumers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		db := openDB(t, t.TempDir())
		set, err := localqueue.New(t.Context(), db, localqueue.Config{Log: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		defer set.Close(context.Background())
		q := openQueue(t, set, "q", localqueue.QueueConfig{})
		for i := range 100 {
			sendAll(t, q, message(fmt.Sprint("g", i%5), "body"))
		}
		db.Fail(errors.New("disk full"))
		var handled atomic.Int64
		consumeWith(t, q, localqueue.Options{Workers: 4, Batch: 1}, func(context.Context, []queue.Message) []string {
			handled.Add(1)
			time.Sleep(10 * time.Millisecond)
			return nil
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := handled.Load(); n > 12 {
			t.Errorf("%d were handled by 4 workers while the disk was full", n)
		}
		db.Fail(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := handled.Load(); n != 100 || backlog(q) != 0 {
			t.Errorf("%d were handled and %d are left, want each of 100 once", n, backlog(q))
		}
	})
}
