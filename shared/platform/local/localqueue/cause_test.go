package localqueue_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/platform/local/localqueue"
	"github.com/postino/postino/shared/queue"
)

// stages are two queues: what is received from the first, a number of letters, is
// sent to the second as one message for each letter.
type stages struct {
	set         *localqueue.Set
	first, then *localqueue.Queue
}

func openStages(t *testing.T, dir string, c localqueue.Config) stages {
	set := openSet(t, dir, c)
	first := openQueue(t, set, "first", localqueue.QueueConfig{Durable: true})
	return stages{set, first, openQueue(t, set, "then", localqueue.QueueConfig{RedoneBy: "first"})}
}

func (s stages) split(t *testing.T) {
	consumeWith(t, s.first, localqueue.Options{Workers: 2}, func(ctx context.Context, ms []queue.Message) (failed []string) {
		for _, m := range ms {
			var letters []queue.Message
			for i, letter := range strings.Split(string(m.Body), "") {
				letters = append(letters, message(fmt.Sprint("g/", i), letter))
			}
			if err := s.then.Send(ctx, letters); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
				failed = append(failed, m.ID)
			}
		}
		return failed
	})
}

// left is what another process would find now.
func left(t *testing.T, dir string) (first, then int) {
	t.Helper()
	s := openStages(t, crash(t, dir), localqueue.Config{})
	return backlog(s.first), backlog(s.then)
}

func wantLeft(t *testing.T, dir string, first, then int, when string) {
	t.Helper()
	if f, th := left(t, dir); f != first || th != then {
		t.Errorf("%s a crash leaves %d messages of the first queue and %d of the second, want %d and %d", when, f, th, first, then)
	}
}

func TestAMessageStaysUntilWhatWasSentForItIsDone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		dir := t.TempDir()
		s := openStages(t, dir, localqueue.Config{})
		s.split(t)
		turns := make(chan bool)
		consumeWith(t, s.then, localqueue.Options{}, func(context.Context, []queue.Message) []string { <-turns; return nil })
		sendAll(t, s.first, message("g", "abc"))
		time.Sleep(time.Second)
		wantLeft(t, dir, 1, 0, "while three wait")
		turns <- true
		turns <- true
		time.Sleep(time.Second)
		wantLeft(t, dir, 1, 0, "while one waits")
		turns <- true
		time.Sleep(time.Second)
		wantLeft(t, dir, 0, 0, "when all are done")
		if !s.set.Idle(time.Now()) {
			t.Error("the queues are not idle although all is done")
		}
	})
}

func TestWhatIsNotDoneInTimeIsStored(t *testing.T) {
	bubble(t, func(t *testing.T) {
		dir := t.TempDir()
		s := openStages(t, dir, localqueue.Config{})
		s.split(t)
		turns := make(chan bool)
		consumeWith(t, s.then, localqueue.Options{Workers: 2}, func(context.Context, []queue.Message) []string { <-turns; return nil })
		sendAll(t, s.first, message("g", "abc"))
		time.Sleep(time.Second)
		turns <- true
		time.Sleep(10 * time.Second)
		wantLeft(t, dir, 0, 2, "long after one of three was done")
		turns <- true
		time.Sleep(time.Second)
		wantLeft(t, dir, 0, 1, "when another is done")
		turns <- true
		time.Sleep(time.Second)
		wantLeft(t, dir, 0, 0, "when all are done")
	})
}

func TestWhatFailsIsStoredAndItsMessageGoes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		dir := t.TempDir()
		s := openStages(t, dir, localqueue.Config{})
		s.split(t)
		var fails sync.Map
		consumeWith(t, s.then, localqueue.Options{Backoff: func(int) time.Duration { return time.Hour }}, func(_ context.Context, ms []queue.Message) []string {
			if _, again := fails.LoadOrStore(string(ms[0].Body), true); !again && string(ms[0].Body) == "b" {
				return []string{ms[0].ID}
			}
			return nil
		})
		sendAll(t, s.first, message("g", "abc"))
		time.Sleep(time.Second)
		wantLeft(t, dir, 0, 1, "after one of three failed")
		time.Sleep(2 * time.Hour)
		wantLeft(t, dir, 0, 0, "after it was done")
	})
}

func TestWithoutRoomWhatIsSentIsStored(t *testing.T) {
	bubble(t, func(t *testing.T) {
		dir := t.TempDir()
		s := openStages(t, dir, localqueue.Config{Memory: 1})
		s.split(t)
		sendAll(t, s.first, message("g", "abc"))
		time.Sleep(time.Second)
		wantLeft(t, dir, 0, 3, "of a queue that has no room")
	})
}

func TestWhoSendsForNobodyStores(t *testing.T) {
	bubble(t, func(t *testing.T) {
		dir := t.TempDir()
		s := openStages(t, dir, localqueue.Config{})
		consumeWith(t, s.then, localqueue.Options{}, func(ctx context.Context, _ []queue.Message) []string { <-ctx.Done(); return nil })
		sendAll(t, s.then, message("g", "a"))
		wantLeft(t, dir, 0, 1, "of what no handler sent")
	})
}

// TestACrashLosesNothingThatIsHeld crashes at random while messages of two stages
// fail, wait and are done, and lets another process go on.
func TestACrashLosesNothingThatIsHeld(t *testing.T) {
	for seed := range uint64(8) {
		bubble(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 2))
			var mu sync.Mutex
			draw := func(n int) int {
				mu.Lock()
				defer mu.Unlock()
				return random.IntN(n)
			}
			done := map[string]bool{}
			dir, sent := t.TempDir(), 0
			for life := range 4 {
				dead := false // this process
				s := openStages(t, dir, localqueue.Config{Memory: 2000 + draw(40_000)})
				consumeWith(t, s.first, localqueue.Options{Workers: 3, Batch: 4}, func(ctx context.Context, ms []queue.Message) (failed []string) {
					for _, m := range ms {
						mu.Lock()
						fails, n := random.IntN(8) == 0, 1+random.IntN(5)
						mu.Unlock()
						var children []queue.Message
						for i := range n {
							children = append(children, message(fmt.Sprint("c", i), string(m.Body)+" of "+fmt.Sprint(i)))
						}
						if s.then.Send(ctx, children) != nil || fails {
							failed = append(failed, m.ID)
						}
					}
					return failed
				})
				consumeWith(t, s.then, localqueue.Options{Workers: 4}, func(ctx context.Context, ms []queue.Message) (failed []string) {
					mu.Lock()
					wait, fails := time.Duration(random.IntN(3000))*time.Millisecond, random.IntN(6) == 0
					mu.Unlock()
					time.Sleep(wait)
					mu.Lock()
					defer mu.Unlock()
					if dead {
						mu.Unlock()
						<-ctx.Done()
						mu.Lock()
						return nil
					}
					for _, m := range ms {
						before, _, _ := strings.Cut(string(m.Body), " of ")
						if fails {
							failed = append(failed, m.ID)
						} else {
							done[before] = true
						}
					}
					return failed
				})
				for range 50 {
					sendAll(t, s.first, message(fmt.Sprint("g", sent%3), fmt.Sprint(sent)))
					sent++
					time.Sleep(time.Duration(draw(100)) * time.Millisecond)
				}
				if life == 3 {
					time.Sleep(2 * time.Hour)
					if f, th := backlog(s.first), backlog(s.then); f+th != 0 || !s.set.Idle(time.Now()) {
						t.Errorf("seed %d: %d and %d messages are left in the end", seed, f, th)
					}
					if bytes, entries, groups := s.set.Held(); bytes+entries+groups != 0 {
						t.Errorf("seed %d: still in memory: %d bytes, %d entries, %d groups", seed, bytes, entries, groups)
					}
					wantLeft(t, dir, 0, 0, "in the end")
				}
				mu.Lock() // no outcome is known here that is not in the files, but the other way round
				dead = true
				mu.Unlock()
				dir = crash(t, dir)
			}
			mu.Lock()
			defer mu.Unlock()
			for i := range sent {
				if !done[fmt.Sprint(i)] {
					t.Errorf("seed %d: nothing that was sent for message %d was done", seed, i)
				}
			}
		})
	}
}
