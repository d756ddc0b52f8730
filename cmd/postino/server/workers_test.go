package server

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localqueue"
	"github.com/postino/postino/shared/queue"
)

// TestOneTenantLeavesWorkersOfEachQueueToOthers: while a tenant has as many
// groups waiting as there are workers, and none of its work ends, it holds its
// share of them and another tenant's message is worked on.
func TestOneTenantLeavesWorkersOfEachQueueToOthers(t *testing.T) {
	for name, options := range workers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				greedy, modest := occupy(t, options)
				if greedy > options.OwnerShare || 2*greedy > options.Workers {
					t.Errorf("the greedy tenant holds %d of %d workers, want at most %d, and half", greedy, options.Workers, options.OwnerShare)
				}
				if modest != 1 {
					t.Errorf("%d messages of the other tenant are worked on, want its only one", modest)
				}
			})
		})
	}
}

// occupy lets a tenant take workers, and then another one, and returns how many
// each holds.
func occupy(t *testing.T, options localqueue.Options) (greedy, modest int) {
	db, err := engine.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	set, err := localqueue.New(t.Context(), db, localqueue.Config{})
	if err != nil {
		t.Fatal(err)
	}
	q, err := set.Queue(t.Context(), "q", localqueue.QueueConfig{})
	if err != nil {
		t.Fatal(err)
	}
	var holds, other atomic.Int64
	end := make(chan struct{})
	err = q.Consume(t.Context(), options, func(_ context.Context, batch []queue.Message) []string {
		if strings.HasPrefix(batch[0].Group, "greedy/") {
			holds.Add(1)
		} else {
			other.Add(1)
		}
		<-end
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range options.Workers {
		send(t, q, fmt.Sprint("greedy/", i))
	}
	synctest.Wait()
	send(t, q, "modest/s")
	synctest.Wait()
	greedy, modest = int(holds.Load()), int(other.Load())
	close(end)
	if err := set.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return greedy, modest
}

func send(t *testing.T, q *localqueue.Queue, group string) {
	t.Helper()
	if err := q.Send(t.Context(), []queue.Message{{Group: group, Body: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
}
