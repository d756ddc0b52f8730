package localqueue_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/queue/localqueue"
)

// crash copies the files of a running process, as kill -9 leaves them.
func crash(t *testing.T, dir string) (left string) {
	t.Helper()
	left = t.TempDir()
	for _, name := range []string{"postino.db", "postino.db-wal"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(left, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return left
}

func receiveAll(t *testing.T, q *localqueue.Queue) (all []queue.Message) {
	t.Helper()
	for {
		got, err := q.Receive(t.Context(), 10, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			return all
		}
		all = append(all, got...)
	}
}

func TestACrashBringsBackWhatWasNotDeleted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		dir := t.TempDir()
		q := openQueue(t, openSet(t, dir, localqueue.Config{Memory: 2000}), "q", localqueue.QueueConfig{})
		var want []string
		for i := range 20 {
			m := message(fmt.Sprint("g", i%2), fmt.Sprint("message ", i))
			if i%5 == 0 {
				m.Delay = time.Second
			}
			sendAll(t, q, m)
			want = append(want, string(m.Body))
		}
		got, err := q.Receive(t.Context(), 3, 0)
		if err != nil || len(got) != 3 {
			t.Fatalf("Receive: %d messages, %v", len(got), err)
		}
		if err := q.Delete(t.Context(), []string{got[1].Receipt}); err != nil {
			t.Fatal(err)
		}
		again := openQueue(t, openSet(t, crash(t, dir), localqueue.Config{}), "q", localqueue.QueueConfig{})
		if backlog(again) != 19 {
			t.Errorf("%d messages after the crash, want 19", backlog(again))
		}
		time.Sleep(time.Second)
		seen := map[string]bool{}
		for _, m := range receiveAll(t, again) {
			seen[string(m.Body)] = true
		}
		for _, body := range want {
			if seen[body] == (body == string(got[1].Body)) {
				t.Errorf("%s was received: %v", body, seen[body])
			}
		}
	})
}

func TestAMessageThatKillsTheProcessBecomesADeadLetter(t *testing.T) {
	bubble(t, func(t *testing.T) {
		config := localqueue.QueueConfig{MaxReceive: 3, DeadLetter: "dead"}
		dir := t.TempDir()
		sendAll(t, openQueue(t, openSet(t, dir, localqueue.Config{}), "q", config), message("g", "killer"), message("h", "harmless"))
		for life := 1; ; life++ {
			dir = crash(t, dir)
			set := openSet(t, dir, localqueue.Config{})
			q := openQueue(t, set, "q", config)
			got := receiveAll(t, q) // and dies of it
			if len(got) == 2 && got[0].Received != life {
				t.Errorf("received %d times in life %d", got[0].Received, life)
			}
			if len(got) > 0 {
				continue
			}
			time.Sleep(time.Second)
			if life != 4 || backlog(q) != 0 || backlog(openQueue(t, set, "dead", localqueue.QueueConfig{})) != 2 {
				t.Errorf("in life %d nothing was received, and %d are left, want 2 dead letters after 3 lives", life, backlog(q))
			}
			return
		}
	})
}

func TestIDsAreNeverGivenTwice(t *testing.T) {
	dir := t.TempDir()
	seen := map[string]bool{}
	for range 3 {
		q := openQueue(t, openSet(t, dir, localqueue.Config{}), "q", localqueue.QueueConfig{})
		sendAll(t, q, message("g", "a"))
		got := receiveAll(t, q)
		if len(got) != 1 || seen[got[0].ID] {
			t.Fatalf("received %v, of which some was seen before", got)
		}
		seen[got[0].ID] = true
		if err := q.Delete(t.Context(), []string{got[0].Receipt}); err != nil {
			t.Fatal(err)
		}
		dir = crash(t, dir)
	}
}

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

// TestNothingIsLostOrDoubled sends at random into queues with little memory,
// and handles it with failures and delays.
func TestNothingIsLostOrDoubled(t *testing.T) {
	for seed := range uint64(10) {
		bubble(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			set := openSet(t, t.TempDir(), localqueue.Config{Memory: random.IntN(20_000)})
			q := openQueue(t, set, "q", localqueue.QueueConfig{})
			var mu sync.Mutex
			done := map[string]int{}
			consumeWith(t, q, localqueue.Options{Workers: 1 + random.IntN(8), Batch: 1 + random.IntN(9)}, func(_ context.Context, ms []queue.Message) (failed []string) {
				mu.Lock()
				defer mu.Unlock()
				for _, m := range ms {
					if random.IntN(10) == 0 {
						failed = append(failed, m.ID)
					} else {
						done[string(m.Body)]++
					}
				}
				return failed
			})
			const many = 2000
			var senders sync.WaitGroup
			for s := range 4 {
				senders.Go(func() {
					for i := s; i < many; i += 4 {
						mu.Lock()
						m := message(fmt.Sprint("g", random.IntN(5)), fmt.Sprintf("%d %0*d", i, random.IntN(500), 0))
						if random.IntN(3) == 0 {
							m.Delay = time.Duration(random.IntN(int(time.Minute)))
						}
						pause := time.Duration(random.IntN(20)) * time.Millisecond
						mu.Unlock()
						sendAll(t, q, m)
						time.Sleep(pause)
					}
				})
			}
			senders.Wait()
			time.Sleep(10 * time.Minute)
			for body, n := range done {
				if n != 1 {
					t.Errorf("seed %d: %.20s was done %d times", seed, body, n)
				}
			}
			if len(done) != many || backlog(q) != 0 || !set.Idle(time.Now()) {
				t.Errorf("seed %d: %d done, %d left, want %d and 0", seed, len(done), backlog(q), many)
			}
		})
	}
}
