package sqsqueue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/postino/postino/shared/queue"
)

const (
	maxBatchBytes = 1 << 20 // bodies of one call
	maxCalls      = 8       // calls of one Send at a time
	maxTries      = 4       // of entries that SQS could not take
	firstPause    = 50 * time.Millisecond
)

// Send queues the messages, delayed by whole seconds, rounded up. A wrong
// group refuses all of them, a wrong delay or body that message alone. It
// returns nil if the queue took all, a [*queue.Unsent] naming those it did not
// surely take, or another error if it took none; [queue.ErrBusy] when trying
// later may help.
func (q *Queue) Send(ctx context.Context, messages []queue.Message) error {
	var unsent queue.Unsent
	var entries []entry
	for i, m := range messages {
		err := m.Check()
		if errors.Is(err, queue.ErrGroup) {
			return fmt.Errorf("message %d: %w", i, err)
		}
		if err != nil {
			unsent.Add(i, err)
			continue
		}
		entries = append(entries, newEntry(i, m))
	}
	q.sendAll(ctx, entries, &unsent)
	return unsent.Result(len(messages))
}

// entry is a message as SQS takes it.
type entry struct {
	index int // into the messages of Send
	types.SendMessageBatchRequestEntry
}

func newEntry(index int, m queue.Message) entry {
	body, group := Encode(m.Body), fairGroup(m.Group)
	return entry{index, types.SendMessageBatchRequestEntry{
		Id: aws.String(strconv.Itoa(index)), MessageBody: &body, MessageGroupId: &group, DelaySeconds: seconds(m.Delay),
	}}
}

// sendAll sends the entries in as few calls as their sizes allow.
func (q *Queue) sendAll(ctx context.Context, entries []entry, unsent *queue.Unsent) {
	var mu sync.Mutex // for unsent
	var calls sync.WaitGroup
	slots := make(chan struct{}, maxCalls)
	for len(entries) > 0 {
		n := cut(entries)
		batch := entries[:n:n]
		entries = entries[n:]
		slots <- struct{}{}
		calls.Go(func() {
			defer func() { <-slots }()
			left, err := q.sendBatch(ctx, batch)
			mu.Lock()
			defer mu.Unlock()
			for _, e := range left {
				unsent.Add(e.index, err)
			}
		})
	}
	calls.Wait()
}

// cut returns how many of the entries fit into one call.
func cut(entries []entry) (n int) {
	bytes := 0
	for n < min(len(entries), maxEntries) {
		if bytes += len(*entries[n].MessageBody); n > 0 && bytes > maxBatchBytes {
			break
		}
		n++
	}
	return n
}

// sendBatch sends the entries of one call, those again that SQS reports as
// its own failure, and returns what was left, with the reason.
func (q *Queue) sendBatch(ctx context.Context, batch []entry) (left []entry, err error) {
	var refused []entry
	pause := firstPause
	for try := 1; len(batch) > 0; try++ {
		failed, failure, wrong, mistake := q.try(ctx, batch)
		if refused = append(refused, wrong...); mistake != nil {
			err = mistake
		}
		if batch = failed; len(batch) == 0 {
			break
		}
		if try == maxTries || !sleep(ctx, pause) {
			return append(refused, batch...), fmt.Errorf("%w: %w", queue.ErrBusy, failure)
		}
		pause *= 2
	}
	return refused, err
}

// try makes one call. The SDK has tried a call that failed as a whole often
// enough already.
func (q *Queue) try(ctx context.Context, batch []entry) (failed []entry, failure error, refused []entry, mistake error) {
	in := &sqs.SendMessageBatchInput{QueueUrl: &q.url}
	for _, e := range batch {
		in.Entries = append(in.Entries, e.SendMessageBatchRequestEntry)
	}
	out, err := q.client.SendMessageBatch(ctx, in)
	if err != nil {
		return nil, nil, batch, fmt.Errorf("send to %s: %w: %w", q.url, queue.ErrBusy, err)
	}
	results := map[string]*types.BatchResultErrorEntry{}
	for _, s := range out.Successful {
		results[aws.ToString(s.Id)] = nil
	}
	for _, f := range out.Failed {
		results[aws.ToString(f.Id)] = &f
	}
	for _, e := range batch {
		switch result, answered := results[*e.Id]; {
		case !answered:
			failed, failure = append(failed, e), fmt.Errorf("send to %s: no result for an entry", q.url)
		case result == nil:
		case result.SenderFault:
			refused, mistake = append(refused, e), entryError(q.url, result)
		default:
			failed, failure = append(failed, e), entryError(q.url, result)
		}
	}
	return failed, failure, refused, mistake
}

func entryError(url string, e *types.BatchResultErrorEntry) error {
	return fmt.Errorf("send to %s: %s: %s", url, aws.ToString(e.Code), aws.ToString(e.Message))
}

// sleep sleeps for about d and reports whether ctx allowed that.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
