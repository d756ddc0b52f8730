package localqueue_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/platform/local/localqueue"
	"github.com/postino/postino/shared/queue"
)

// clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = to
}

func TestAClockMovedByHandHandsOutWhatFallsDue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		c := &clock{now: start}
		set := openSet(t, t.TempDir(), localqueue.Config{Now: c.Now})
		q := openQueue(t, set, "q", localqueue.QueueConfig{})
		var saw record
		consumeWith(t, q, localqueue.Options{}, func(_ context.Context, ms []queue.Message) []string {
			saw.add(ms)
			if m := ms[0]; string(m.Body) == "chain" && m.Received == 1 {
				next := message("g", "next")
				next.Delay = time.Minute
				sendAll(t, q, next)
			}
			return nil
		})
		for _, delay := range []time.Duration{5 * time.Minute, time.Millisecond, 0} {
			m := message("g", "chain")
			if delay > 0 {
				m = message("g", delay.String())
			}
			m.Delay = delay
			sendAll(t, q, m)
		}
		for end := start.Add(10 * time.Minute); ; {
			synctest.Wait()
			if !set.Idle(c.Now()) {
				time.Sleep(time.Millisecond)
				continue
			}
			next, ok := set.NextDue()
			if !ok || next.After(end) {
				break
			}
			c.set(next)
			set.Poke()
		}
		if got, want := saw.text(), "chain 1, 1ms 1, next 1, 5m0s 1"; got != want {
			t.Errorf("handled %s, want %s", got, want)
		}
		if c.Now().Sub(start) != 5*time.Minute {
			t.Errorf("the clock was moved by %v, want 5m", c.Now().Sub(start))
		}
	})
}

func TestAClockThatWasSetBackDelaysNobodyForLong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		dir := t.TempDir()
		late := &clock{now: time.Now().Add(24 * time.Hour)}
		q := openQueue(t, openSet(t, dir, localqueue.Config{Now: late.Now}), "q", localqueue.QueueConfig{})
		m := message("g", "delayed")
		m.Delay = time.Minute
		sendAll(t, q, m)
		again := openQueue(t, openSet(t, crash(t, dir), localqueue.Config{}), "q", localqueue.QueueConfig{})
		time.Sleep(queue.MaxDelay + time.Second)
		if got := receiveAll(t, again); len(got) != 1 {
			t.Errorf("received %d messages, want the delayed one", len(got))
		}
	})
}

func TestAClockSetBackWhileRunningLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		c := &clock{now: start}
		set := openSet(t, t.TempDir(), localqueue.Config{Now: c.Now})
		q := openQueue(t, set, "q", localqueue.QueueConfig{})
		delayed := func(d time.Duration) queue.Message {
			return queue.Message{Group: "g", Body: []byte("x"), Delay: d}
		}
		sendAll(t, q, delayed(time.Minute))
		for _, tt := range []struct {
			to   time.Duration // the clock, after start
			want int
		}{{time.Hour, 1}, {0, 0}, {time.Minute, 1}, {time.Hour, 0}} {
			c.set(start.Add(tt.to))
			set.Poke()
			if got := receiveAll(t, q); len(got) != tt.want {
				t.Errorf("at %v received %d messages, want %d", tt.to, len(got), tt.want)
			} else if len(got) > 0 {
				_ = q.Delete(t.Context(), []string{got[0].Receipt})
			}
			if tt.to == 0 {
				sendAll(t, q, delayed(30*time.Second)) // due before what was received already
			}
		}
	})
}

func TestAJumpOfTheClockShortensTheWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var mu sync.Mutex
		var ahead time.Duration
		set := openSet(t, t.TempDir(), localqueue.Config{Now: func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return time.Now().Add(ahead)
		}})
		q := openQueue(t, set, "q", localqueue.QueueConfig{})
		handled := make(chan time.Time, 1)
		consumeWith(t, q, localqueue.Options{}, func(context.Context, []queue.Message) []string { handled <- time.Now(); return nil })
		start := time.Now()
		sendAll(t, q, queue.Message{Group: "g", Body: []byte("x"), Delay: 10 * time.Minute})
		mu.Lock()
		ahead = 9 * time.Minute
		mu.Unlock()
		set.Poke()
		if after := (<-handled).Sub(start); after.Round(time.Second) != time.Minute {
			t.Errorf("handled after %v, want 1m", after)
		}
	})
}
