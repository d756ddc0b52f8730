package sqsqueue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/postino/postino/shared/queue"
)

// scripted is a client whose SendMessageBatch answers as told.
type scripted struct {
	Client
	answer func(call int, id string) *types.BatchResultErrorEntry // nil: taken
	err    func(call int) error                                   // of the whole call; nil: none

	mu    sync.Mutex
	calls []*sqs.SendMessageBatchInput
}

func (s *scripted) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, in)
	call := len(s.calls)
	if s.err != nil && s.err(call) != nil {
		return nil, s.err(call)
	}
	var out sqs.SendMessageBatchOutput
	for _, e := range in.Entries {
		var failed *types.BatchResultErrorEntry
		if s.answer != nil {
			failed = s.answer(call, *e.Id)
		}
		switch {
		case failed == forgotten:
		case failed != nil:
			failed.Id = e.Id
			out.Failed = append(out.Failed, *failed)
		default:
			out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{Id: e.Id})
		}
	}
	return &out, ctx.Err()
}

var forgotten = &types.BatchResultErrorEntry{}

func failure(senderFault bool) *types.BatchResultErrorEntry {
	return &types.BatchResultErrorEntry{Code: aws.String("Code"), Message: aws.String("why"), SenderFault: senderFault}
}

func messages(n, size int) []queue.Message {
	ms := make([]queue.Message, n)
	for i := range ms {
		ms[i] = queue.Message{Group: "g", Body: random(size)}
	}
	return ms
}

func TestEntriesAreSentAgainUntilTaken(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answer  func(call int, id string) *types.BatchResultErrorEntry
		calls   int
		unsent  []int
		busy    bool
		entries int // of the last call
	}{
		{"all taken", nil, 1, nil, false, 3},
		{"one fails twice", func(call int, id string) *types.BatchResultErrorEntry {
			if id == "1" && call < 3 {
				return failure(false)
			}
			return nil
		}, 3, nil, false, 1},
		{"one fails always", func(_ int, id string) *types.BatchResultErrorEntry {
			if id == "2" {
				return failure(false)
			}
			return nil
		}, maxTries, []int{2}, true, 1},
		{"one has no answer once", func(call int, id string) *types.BatchResultErrorEntry {
			if id == "0" && call == 1 {
				return forgotten
			}
			return nil
		}, 2, nil, false, 1},
		{"one is our mistake", func(_ int, id string) *types.BatchResultErrorEntry {
			if id == "1" {
				return failure(true)
			}
			return nil
		}, 1, []int{1}, false, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &scripted{answer: tt.answer}
				err := New(c, "url").Send(t.Context(), messages(3, 10))
				var u *queue.Unsent
				if errors.As(err, &u) != (tt.unsent != nil) || u != nil && !slices.Equal(u.Indexes, tt.unsent) {
					t.Errorf("Send: %v, want unsent %v", err, tt.unsent)
				}
				if errors.Is(err, queue.ErrBusy) != tt.busy {
					t.Errorf("Send: %v, want busy to be %v", err, tt.busy)
				}
				if len(c.calls) != tt.calls || len(c.calls[len(c.calls)-1].Entries) != tt.entries {
					t.Errorf("%d calls, want %d, the last with %d entries", len(c.calls), tt.calls, tt.entries)
				}
			})
		})
	}
}

func TestAFailedCallLeavesOnlyItsEntriesUnsent(t *testing.T) {
	c := &scripted{err: func(call int) error {
		if call == 2 {
			return errors.New("connection reset")
		}
		return nil
	}}
	err := New(c, "url").Send(t.Context(), messages(25, 10))
	var u *queue.Unsent
	if !errors.As(err, &u) || !errors.Is(err, queue.ErrBusy) || len(u.Indexes) != 10 && len(u.Indexes) != 5 {
		t.Errorf("Send: %v, want the entries of one of 3 calls unsent", err)
	}
}

func TestSendEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		c := &scripted{answer: func(int, string) *types.BatchResultErrorEntry { return failure(false) }}
		if err := New(c, "url").Send(ctx, messages(2, 10)); !errors.Is(err, queue.ErrBusy) || len(c.calls) != 1 {
			t.Errorf("Send: %v after %d calls, want it busy after one", err, len(c.calls))
		}
	})
}

func TestCallsKeepWithinTheLimits(t *testing.T) {
	c := &scripted{}
	var ms []queue.Message
	for i := range 40 {
		ms = append(ms, messages(1, 1+i*17_000)...)
	}
	if err := New(c, "url").Send(t.Context(), ms); err != nil {
		t.Fatal(err)
	}
	sent := map[string]bool{}
	for _, call := range c.calls {
		bytes := 0
		for _, e := range call.Entries {
			bytes += len(*e.MessageBody)
			sent[*e.Id] = true
		}
		if len(call.Entries) > 10 || bytes > 1<<20 {
			t.Errorf("a call has %d entries of %d bytes", len(call.Entries), bytes)
		}
	}
	if len(sent) != len(ms) {
		t.Errorf("%d messages sent, want %d", len(sent), len(ms))
	}
}

func TestDelaysRoundUp(t *testing.T) {
	for _, tt := range []struct {
		delay time.Duration
		want  int32
	}{{0, 0}, {1, 1}, {time.Second, 1}, {time.Second + 1, 2}, {queue.MaxDelay, 900}} {
		c := &scripted{}
		m := queue.Message{Body: []byte("{}"), Group: "g", Delay: tt.delay}
		if err := New(c, "url").Send(t.Context(), []queue.Message{m}); err != nil {
			t.Fatal(err)
		}
		if got := c.calls[0].Entries[0].DelaySeconds; got != tt.want {
			t.Errorf("a delay of %v is sent as %d s, want %d", tt.delay, got, tt.want)
		}
	}
}

// answering answers the other calls.
type answering struct {
	Client
	deleted   []types.BatchResultErrorEntry
	attribute map[string]string
}

func (a *answering) DeleteMessageBatch(context.Context, *sqs.DeleteMessageBatchInput, ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	return &sqs.DeleteMessageBatchOutput{Failed: a.deleted}, nil
}

func (a *answering) GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	return &sqs.GetQueueAttributesOutput{Attributes: a.attribute}, nil
}

func TestOnlyStaleReceiptsAreNoErrors(t *testing.T) {
	for code, wrong := range map[string]bool{"ReceiptHandleIsInvalid": false, "InternalError": true} {
		c := &answering{deleted: []types.BatchResultErrorEntry{{Code: &code}}}
		if err := New(c, "url").Delete(t.Context(), []string{"r"}); (err != nil) != wrong {
			t.Errorf("Delete that fails with %s: %v", code, err)
		}
	}
}

func TestAnUnreadableBacklogIsAnError(t *testing.T) {
	c := &answering{attribute: map[string]string{}}
	for _, part := range backlogParts {
		if n, err := New(c, "url").Backlog(t.Context()); err == nil {
			t.Errorf("Backlog without %s = %d, want an error", part, n)
		}
		c.attribute[string(part)] = fmt.Sprint(2)
	}
	if n, err := New(c, "url").Backlog(t.Context()); n != 6 || err != nil {
		t.Errorf("Backlog = %d, %v, want 6", n, err)
	}
}
