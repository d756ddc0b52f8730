package localqueue_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/platform/local/localqueue"
	"github.com/postino/postino/shared/queue"
)

func TestSpilledMessagesComeInTheirOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		set := openSet(t, t.TempDir(), localqueue.Config{})
		q := openQueue(t, set, "q", localqueue.QueueConfig{})
		sent := 0
		send := func(n int) {
			for range n {
				sendAll(t, q, message("g", strconv.Itoa(sent)))
				sent++
			}
		}
		send(1000)
		var got []queue.Message
		for len(got) < 1200 {
			more, err := q.Receive(t.Context(), 10, 0)
			if err != nil || len(more) == 0 {
				t.Fatalf("Receive after %d: %d messages, %v", len(got), len(more), err)
			}
			got = append(got, more...)
			send(min(3, 1200-sent))
		}
		for i, m := range got {
			if string(m.Body) != strconv.Itoa(i) {
				t.Fatalf("message %d is %s", i, m.Body)
			}
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
			mu.Lock()
			defer mu.Unlock()
			for body, n := range done {
				if n != 1 {
					t.Errorf("seed %d: %.20s was done %d times", seed, body, n)
				}
			}
			if bytes, entries, groups := set.Held(); bytes+entries+groups != 0 {
				t.Errorf("seed %d: still in memory: %d bytes, %d entries, %d groups", seed, bytes, entries, groups)
			}
			if len(done) != many || backlog(q) != 0 || !set.Idle(time.Now()) {
				t.Errorf("seed %d: %d done, %d left, want %d and 0", seed, len(done), backlog(q), many)
			}
		})
	}
}
