package localqueue_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/postino/postino/shared/platform/local/localqueue"
	"github.com/postino/postino/shared/queue"
)

// crash copies the files of a running process, as kill -9 leaves them.
func crash(t *testing.T, dir string) (left string) {
	t.Helper()
	left = t.TempDir()
	if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
		t.Fatal(err)
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
