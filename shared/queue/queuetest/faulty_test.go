package queuetest_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localqueue"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/queue/queuetest"
)

func open(t *testing.T) *localqueue.Queue {
	t.Helper()
	db, err := engine.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	set, err := localqueue.New(t.Context(), db, localqueue.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = set.Close(context.Background()) })
	q, err := set.Queue(t.Context(), "q", localqueue.QueueConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestFaultsHappenAsTold(t *testing.T) {
	q := queuetest.Faulty{
		Queue: open(t),
		OnSend: func(m queue.Message) queuetest.Fault {
			return map[string]queuetest.Fault{"refuse": queuetest.Refuse, "hide": queuetest.Hide, "double": queuetest.Double}[string(m.Body)]
		},
		OnReceive: func(m queue.Message) queuetest.Fault {
			return map[string]queuetest.Fault{"none": queuetest.Double}[string(m.Body)]
		},
		OnDelete: func(receipts []string) error {
			if len(receipts) > 1 {
				return queuetest.ErrFault
			}
			return nil
		},
	}
	var messages []queue.Message
	for _, body := range []string{"none", "refuse", "hide", "", "double"} {
		messages = append(messages, queue.Message{Body: []byte(body), Group: "g"})
	}
	err := q.Send(t.Context(), messages)
	var unsent *queue.Unsent
	if !errors.As(err, &unsent) || !slices.Equal(unsent.Indexes, []int{1, 2, 3}) || !errors.Is(err, queuetest.ErrFault) {
		t.Errorf("Send: %v, want the messages 1, 2 and 3 unsent", err)
	}
	got, err := q.Receive(t.Context(), 10, 0)
	var bodies, receipts []string
	for _, m := range got {
		bodies, receipts = append(bodies, string(m.Body)), append(receipts, m.Receipt)
	}
	slices.Sort(bodies)
	if want := []string{"double", "double", "hide", "none", "none"}; !slices.Equal(bodies, want) || err != nil {
		t.Errorf("received %q, %v, want %q", bodies, err, want)
	}
	if err := q.Delete(t.Context(), receipts); !errors.Is(err, queuetest.ErrFault) {
		t.Errorf("Delete of many: %v, want %v", err, queuetest.ErrFault)
	}
	for _, r := range receipts {
		if err := q.Delete(t.Context(), []string{r}); err != nil {
			t.Errorf("Delete of one: %v", err)
		}
	}
	if n, err := q.Backlog(t.Context()); n != 0 || err != nil {
		t.Errorf("Backlog = %d, %v, want 0", n, err)
	}
}
