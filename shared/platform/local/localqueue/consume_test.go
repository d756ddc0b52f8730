package localqueue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/platform/local/localqueue"
	"github.com/postino/postino/shared/queue"
)

// bubble runs the test where time is simulated.
func bubble(t *testing.T, test func(t *testing.T)) { synctest.Test(t, test) }

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func consumeWith(t *testing.T, q *localqueue.Queue, o localqueue.Options, handler localqueue.Handler) {
	t.Helper()
	if err := q.Consume(t.Context(), o, handler); err != nil {
		t.Fatal(err)
	}
}

func message(group, body string) queue.Message {
	return queue.Message{Group: group, Body: []byte(body)}
}

func sendAll(t testing.TB, q *localqueue.Queue, messages ...queue.Message) {
	t.Helper()
	if err := q.Send(context.Background(), messages); err != nil {
		t.Fatal(err)
	}
}

func backlog(q *localqueue.Queue) int {
	n, _ := q.Backlog(context.Background())
	return n
}

// record collects what a handler saw.
type record struct {
	mu   sync.Mutex
	seen []string
}

func (r *record) add(messages []queue.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range messages {
		r.seen = append(r.seen, fmt.Sprintf("%s %d", m.Body, m.Received))
	}
}

func (r *record) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.seen, ", ")
}

func TestOnlyWhatFailedComesAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		set := openSet(t, t.TempDir(), localqueue.Config{Log: quiet()})
		q := openQueue(t, set, "q", localqueue.QueueConfig{MaxReceive: 3, DeadLetter: "dead"})
		dead := openQueue(t, set, "dead", localqueue.QueueConfig{})
		var saw record
		sendAll(t, q, message("g", "good"), message("g", "poison"), message("g", "bad once"), message("g", "panics once"))
		consumeWith(t, q, localqueue.Options{Workers: 1, Batch: 1}, func(_ context.Context, ms []queue.Message) (failed []string) {
			saw.add(ms)
			for _, m := range ms {
				switch {
				case string(m.Body) == "panics once" && m.Received == 1:
					panic("at the disco")
				case string(m.Body) == "poison" || string(m.Body) == "bad once" && m.Received == 1:
					failed = append(failed, m.ID)
				}
			}
			return failed
		})
		time.Sleep(time.Minute)
		want := "good 1, poison 1, bad once 1, panics once 1, poison 2, bad once 2, panics once 2, poison 3"
		if got := saw.text(); got != want {
			t.Errorf("handled %s\nwant    %s", got, want)
		}
		if backlog(q) != 0 || backlog(dead) != 1 {
			t.Errorf("%d messages left and %d dead letters, want 0 and 1", backlog(q), backlog(dead))
		}
	})
}

func TestAFailedMessageBacksOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		set := openSet(t, t.TempDir(), localqueue.Config{})
		q := openQueue(t, set, "q", localqueue.QueueConfig{Visibility: 6 * time.Second})
		start := time.Now()
		var mu sync.Mutex
		var at []time.Duration
		consumeWith(t, q, localqueue.Options{}, func(_ context.Context, ms []queue.Message) []string {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(start).Round(10*time.Millisecond))
			return []string{ms[0].ID}
		})
		sendAll(t, q, message("g", "bad"))
		time.Sleep(20 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		want := []time.Duration{0, 1 * time.Second, 3 * time.Second, 7 * time.Second, 13 * time.Second, 19 * time.Second}
		if !slices.Equal(at, want) {
			t.Errorf("handled at %v, want %v", at, want)
		}
	})
}

func TestABusyGroupLeavesWorkersToOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		set := openSet(t, t.TempDir(), localqueue.Config{})
		q := openQueue(t, set, "q", localqueue.QueueConfig{})
		var running sync.Map // group → *atomic.Int64
		var worst sync.Map
		latest := atomic.Int64{}
		consumeWith(t, q, localqueue.Options{Workers: 16, Batch: 1, GroupShare: 5}, func(_ context.Context, ms []queue.Message) []string {
			g := ms[0].Group
			if strings.HasPrefix(g, "quiet") {
				sent, _ := time.Parse(time.RFC3339Nano, string(ms[0].Body))
				latest.Store(max(latest.Load(), int64(time.Since(sent))))
				return nil
			}
			n, _ := running.LoadOrStore(g, new(atomic.Int64))
			now := n.(*atomic.Int64).Add(1)
			if before, _ := worst.LoadOrStore(g, now); before.(int64) < now {
				worst.Store(g, now)
			}
			time.Sleep(4 * time.Second)
			n.(*atomic.Int64).Add(-1)
			return nil
		})
		for i := range 1000 {
			sendAll(t, q, message("busy-"+string(rune('a'+i%8)), "slow"))
		}
		for i := range 50 {
			time.Sleep(100 * time.Millisecond)
			sendAll(t, q, message(fmt.Sprint("quiet-", i), time.Now().Format(time.RFC3339Nano)))
		}
		time.Sleep(time.Second)
		if wait := time.Duration(latest.Load()); wait > 10*time.Millisecond {
			t.Errorf("a quiet group's message waited %v behind 8 busy groups", wait)
		}
		worst.Range(func(g, n any) bool {
			if n.(int64) > 5 {
				t.Errorf("group %v occupied %d workers, want at most its share of 5", g, n)
			}
			return true
		})
	})
}

func TestABatchIsOfOneGroup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		set := openSet(t, t.TempDir(), localqueue.Config{})
		q := openQueue(t, set, "q", localqueue.QueueConfig{})
		var ms []queue.Message
		for i := range 100 {
			ms = append(ms, message(fmt.Sprint("g", i%3), "x"))
		}
		sendAll(t, q, ms...)
		var largest atomic.Int64
		consumeWith(t, q, localqueue.Options{Workers: 2, Batch: 7}, func(_ context.Context, ms []queue.Message) []string {
			for _, m := range ms {
				if m.Group != ms[0].Group {
					t.Errorf("a batch has messages of %s and %s", m.Group, ms[0].Group)
				}
			}
			largest.Store(max(largest.Load(), int64(len(ms))))
			return nil
		})
		synctest.Wait()
		time.Sleep(time.Second)
		if largest.Load() != 7 || backlog(q) != 0 {
			t.Errorf("the largest batch has %d messages, %d are left, want 7 and 0", largest.Load(), backlog(q))
		}
	})
}

func TestHandlersHaveADeadline(t *testing.T) {
	bubble(t, func(t *testing.T) {
		set := openSet(t, t.TempDir(), localqueue.Config{})
		q := openQueue(t, set, "q", localqueue.QueueConfig{})
		ended := make(chan time.Duration, 1)
		consumeWith(t, q, localqueue.Options{Timeout: 3 * time.Second}, func(ctx context.Context, _ []queue.Message) []string {
			start := time.Now()
			<-ctx.Done()
			ended <- time.Since(start)
			return nil
		})
		sendAll(t, q, message("g", "x"))
		if after := <-ended; after != 3*time.Second {
			t.Errorf("the handler's context ended after %v, want 3s", after)
		}
	})
}

func TestCloseWaitsForHandlersAndNoLonger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		set := openSet(t, t.TempDir(), localqueue.Config{})
		q := openQueue(t, set, "q", localqueue.QueueConfig{})
		var handled atomic.Int64
		consumeWith(t, q, localqueue.Options{Workers: 4, Batch: 1}, func(ctx context.Context, ms []queue.Message) []string {
			select {
			case <-time.After(10 * time.Second):
				handled.Add(1)
				return nil
			case <-ctx.Done():
				return []string{ms[0].ID}
			}
		})
		sendAll(t, q, message("a", "x"), message("b", "x"), message("c", "x"), message("d", "x"), message("e", "x"))
		time.Sleep(time.Second)
		soon, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := set.Close(soon); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v, want %v", err, context.DeadlineExceeded)
		}
		if err := set.Close(t.Context()); err != nil { // the canceled handlers end
			t.Errorf("second Close: %v", err)
		}
		if handled.Load() != 0 || backlog(q) != 5 {
			t.Errorf("%d handled, %d left, want 0 and 5", handled.Load(), backlog(q))
		}
	})
}

func TestASecondConsumerIsRefused(t *testing.T) {
	set := openSet(t, t.TempDir(), localqueue.Config{})
	q := openQueue(t, set, "q", localqueue.QueueConfig{})
	nothing := func(context.Context, []queue.Message) []string { return nil }
	consumeWith(t, q, localqueue.Options{}, nothing)
	if err := q.Consume(t.Context(), localqueue.Options{}, nothing); err == nil {
		t.Error("a second consumer was taken")
	}
}

func TestAFullBacklogIsBusy(t *testing.T) {
	set := openSet(t, t.TempDir(), localqueue.Config{})
	q := openQueue(t, set, "q", localqueue.QueueConfig{MaxBacklog: 2})
	sendAll(t, q, message("g", "a"), message("g", "b"))
	if err := q.Send(t.Context(), []queue.Message{message("g", "c")}); !errors.Is(err, queue.ErrBusy) {
		t.Errorf("Send to a full queue: %v, want %v", err, queue.ErrBusy)
	}
	got, err := q.Receive(t.Context(), 1, 0)
	if err != nil || len(got) != 1 {
		t.Fatalf("Receive: %d messages, %v", len(got), err)
	}
	if err := q.Delete(t.Context(), []string{got[0].Receipt}); err != nil {
		t.Fatal(err)
	}
	sendAll(t, q, message("g", "c"))
}

// TestAnOwnerWithManyGroupsLeavesWorkersToOthers: three hundred groups of one
// owner, whose handlers hang, hold up neither another owner's messages nor more
// workers than one may.
func TestAnOwnerWithManyGroupsLeavesWorkersToOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		set := openSet(t, t.TempDir(), localqueue.Config{})
		q := openQueue(t, set, "q", localqueue.QueueConfig{})
		var running, most, quiet atomic.Int64
		var slowest atomic.Int64
		consumeWith(t, q, localqueue.Options{Workers: 32, Batch: 1, OwnerShare: 16, GroupShare: 8}, func(_ context.Context, ms []queue.Message) []string {
			if queue.Owner(ms[0].Group) == "quiet" {
				sent, _ := time.Parse(time.RFC3339Nano, string(ms[0].Body))
				slowest.Store(max(slowest.Load(), int64(time.Since(sent))))
				quiet.Add(1)
				return nil
			}
			most.Store(max(most.Load(), running.Add(1)))
			time.Sleep(15 * time.Second)
			running.Add(-1)
			return nil
		})
		for i := range 1200 {
			sendAll(t, q, message(fmt.Sprint("greedy/", i%300), "hangs"))
		}
		for i := range 50 {
			time.Sleep(100 * time.Millisecond)
			sendAll(t, q, message(fmt.Sprint("quiet/", i%3), time.Now().Format(time.RFC3339Nano)))
		}
		time.Sleep(time.Second)
		if wait := time.Duration(slowest.Load()); quiet.Load() != 50 || wait > 10*time.Millisecond {
			t.Errorf("%d of 50 messages of the quiet owner were handled, within %v, want all at once", quiet.Load(), wait)
		}
		if most.Load() != 16 {
			t.Errorf("the greedy owner occupied up to %d workers, want its 16", most.Load())
		}
		time.Sleep(time.Hour)
		if left := backlog(q); left != 0 {
			t.Errorf("%d of the greedy owner's messages are left", left)
		}
	})
}

// TestAnOwnerFillsHalfOfMemoryAtMost: what one owner has waiting goes to the
// disk before it takes the room of others.
func TestAnOwnerFillsHalfOfMemoryAtMost(t *testing.T) {
	const limit, size = 200 << 10, 10 << 10
	set := openSet(t, t.TempDir(), localqueue.Config{Memory: limit})
	first := openQueue(t, set, "first", localqueue.QueueConfig{})
	second := openQueue(t, set, "second", localqueue.QueueConfig{})
	for _, q := range []*localqueue.Queue{first, second} {
		if _, err := q.Receive(t.Context(), 1, 0); err != nil { // somebody reads it
			t.Fatal(err)
		}
		for i := range 40 {
			sendAll(t, q, message(fmt.Sprint("greedy/", i), strings.Repeat("x", size)))
		}
	}
	if bytes, _, _ := set.Held(); bytes > limit/2 {
		t.Errorf("one owner holds %d bytes of memory, want at most half of %d", bytes, limit)
	}
	before, _, _ := set.Held()
	sendAll(t, first, message("quiet/1", strings.Repeat("x", size)))
	if after, _, _ := set.Held(); after < before+size {
		t.Errorf("another owner's message is not in memory: %d bytes before it, %d after", before, after)
	}
	if n := len(receiveAll(t, first)) + len(receiveAll(t, second)); n != 81 {
		t.Errorf("received %d of 81 messages", n)
	}
}
func TestHandlersWithAGraceDoNotHoldUpClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		set := openSet(t, t.TempDir(), localqueue.Config{})
		q := openQueue(t, set, "q", localqueue.QueueConfig{})
		consumeWith(t, q, localqueue.Options{Workers: 4, Batch: 1, Grace: 2 * time.Second}, func(ctx context.Context, ms []queue.Message) []string {
			<-ctx.Done()
			return []string{ms[0].ID}
		})
		sendAll(t, q, message("a", "x"), message("b", "x"))
		time.Sleep(time.Second)
		before := time.Now()
		if err := set.Close(t.Context()); err != nil {
			t.Errorf("Close: %v, want nil", err)
		}
		if took := time.Since(before); took != 2*time.Second || backlog(q) != 2 {
			t.Errorf("closed after %v with %d messages left, want 2s and 2", took, backlog(q))
		}
	})
}
