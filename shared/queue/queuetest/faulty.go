package queuetest

import (
	"context"
	"errors"
	"time"

	"github.com/postino/postino/shared/queue"
)

// Fault is what goes wrong with one message.
type Fault int

// The faults of a Send, and of a Receive those that are marked.
const (
	None   Fault = iota
	Refuse       // not taken, and reported as unsent
	Hide         // taken, but reported as unsent: the answer was lost
	Double       // taken twice; received: handed out twice, with one receipt
)

// ErrFault is the cause of the faults.
var ErrFault = errors.New("injected fault")

// Faulty is a queue that has the faults it is told to have. Its functions are
// called for each message and may be nil; they must be safe for concurrent use.
type Faulty struct {
	Queue
	OnSend    func(m queue.Message) Fault
	OnReceive func(m queue.Message) Fault // only None and Double
	OnDelete  func(receipts []string) error
}

// Send sends what is not refused.
func (f Faulty) Send(ctx context.Context, messages []queue.Message) error {
	if f.OnSend == nil {
		return f.Queue.Send(ctx, messages)
	}
	var unsent queue.Unsent
	var taken []queue.Message
	var indexes []int // of taken, in messages
	for i, m := range messages {
		switch f.OnSend(m) {
		case Refuse:
			unsent.Add(i, ErrFault)
			continue
		case Hide:
			unsent.Add(i, ErrFault)
		case Double:
			taken, indexes = append(taken, m), append(indexes, i)
		}
		taken, indexes = append(taken, m), append(indexes, i)
	}
	if err := f.Queue.Send(ctx, taken); err != nil {
		addUnsent(&unsent, err, indexes)
	}
	return unsent.Result(len(messages))
}

// addUnsent adds what the queue itself did not take, once for each message.
func addUnsent(unsent *queue.Unsent, err error, indexes []int) {
	failed := indexes
	var own *queue.Unsent
	if errors.As(err, &own) {
		failed = nil
		for _, i := range own.Indexes {
			failed = append(failed, indexes[i])
		}
	}
	noted := map[int]bool{}
	for _, i := range unsent.Indexes {
		noted[i] = true
	}
	for _, i := range failed {
		if !noted[i] {
			noted[i] = true
			unsent.Add(i, err)
		}
	}
}

// Receive hands out doubles beside the messages.
func (f Faulty) Receive(ctx context.Context, limit int, wait time.Duration) ([]queue.Message, error) {
	messages, err := f.Queue.Receive(ctx, limit, wait)
	if f.OnReceive == nil {
		return messages, err
	}
	for _, m := range messages {
		if f.OnReceive(m) == Double {
			messages = append(messages, m)
		}
	}
	return messages, err
}

// Delete fails before anything is deleted if OnDelete says so.
func (f Faulty) Delete(ctx context.Context, receipts []string) error {
	if f.OnDelete != nil {
		if err := f.OnDelete(receipts); err != nil {
			return err
		}
	}
	return f.Queue.Delete(ctx, receipts)
}
