package localqueue_test

import (
	"context"
	"testing"

	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localqueue"
	"github.com/postino/postino/shared/queue/queuetest"
)

func openDB(t testing.TB, dir string) *engine.DB {
	t.Helper()
	db, err := engine.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func openSet(t testing.TB, dir string, c localqueue.Config) *localqueue.Set {
	t.Helper()
	set, err := localqueue.New(t.Context(), openDB(t, dir), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := set.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return set
}

func openQueue(t testing.TB, set *localqueue.Set, name string, c localqueue.QueueConfig) *localqueue.Queue {
	t.Helper()
	q, err := set.Queue(t.Context(), name, c)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestQueue(t *testing.T) {
	for name, config := range map[string]localqueue.Config{
		"roomy": {},
		"tight": {Memory: 1}, // all is spilled, and read back when its turn comes
	} {
		t.Run(name, func(t *testing.T) {
			queuetest.Suite{
				Open: func(t *testing.T, o queuetest.Options) (q, dead queuetest.Queue) {
					set := openSet(t, t.TempDir(), config)
					dead = openQueue(t, set, "test-dead", localqueue.QueueConfig{Visibility: o.Visibility})
					return openQueue(t, set, "test", localqueue.QueueConfig{
						Visibility: o.Visibility, MaxReceive: o.MaxReceive, DeadLetter: "test-dead",
					}), dead
				},
				Move: func(t *testing.T, from, to queuetest.Queue, limit int) int {
					moved, err := from.(*localqueue.Queue).Move(t.Context(), to.(*localqueue.Queue), limit)
					if err != nil {
						t.Fatal(err)
					}
					return moved
				},
				Fair: name == "roomy", Bubble: true,
			}.Run(t)
		})
	}
}
