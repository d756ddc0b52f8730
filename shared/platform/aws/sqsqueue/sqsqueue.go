// Package sqsqueue implements the queues with Amazon SQS standard queues, whose
// message groups share a queue fairly. SQS has only one level of groups, so an
// owner's groups are combined into [shardsPerOwner] groups: see fairGroup.
//
// Bodies travel as text that SQS takes and that is short, since SQS bills by
// 64 KiB: see [Encode].
package sqsqueue

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/postino/postino/shared/queue"
)

// Limits of one call.
const (
	maxEntries = 10
	maxWait    = 20 * time.Second
)

// Options bounds each try of a call as a function wants it, which only sends and
// counts: SQS answers in milliseconds or not at all, and without a bound one
// silent connection takes all the time that a function has. Use it with
// [sqs.NewFromConfig]; a client that waits for messages needs more.
func Options(o *sqs.Options) {
	o.HTTPClient = awshttp.NewBuildableClient().WithTimeout(callTimeout)
	o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
		r.MaxAttempts, r.MaxBackoff = callTries, longestPause
	})
}

const (
	callTimeout  = 5 * time.Second // of one try
	callTries    = 4
	longestPause = time.Second
)

// Client is the part of [*sqs.Client] that a queue uses.
type Client interface {
	SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessageBatch(context.Context, *sqs.DeleteMessageBatchInput, ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
}

// Queue is one SQS queue. Its methods may be called concurrently.
type Queue struct {
	client Client
	url    string
}

// New returns the queue at the URL.
func New(client Client, url string) *Queue { return &Queue{client, url} }

// Receive hands out up to limit messages, at most 10, and hides them for the
// queue's visibility timeout. It waits up to wait, at most 20 s and in whole
// seconds, for the first. Messages whose bodies [Decode] refuses are left to
// the dead-letter queue.
func (q *Queue) Receive(ctx context.Context, limit int, wait time.Duration) ([]queue.Message, error) {
	out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:            &q.url,
		MaxNumberOfMessages: int32(min(limit, maxEntries)),
		WaitTimeSeconds:     seconds(min(wait, maxWait)),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount, types.MessageSystemAttributeNameMessageGroupId,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("receive from %s: %w", q.url, err)
	}
	var messages []queue.Message
	for _, m := range out.Messages {
		if body, err := Decode(aws.ToString(m.Body)); err == nil {
			messages = append(messages, message(m, body))
		}
	}
	return messages, nil
}

func message(m types.Message, body []byte) queue.Message {
	received, _ := strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	return queue.Message{
		Body: body, Group: m.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)],
		ID: aws.ToString(m.MessageId), Receipt: aws.ToString(m.ReceiptHandle), Received: received,
	}
}

// seconds rounds up: SQS knows no parts, and early is wrong.
func seconds(d time.Duration) int32 { return int32(math.Ceil(d.Seconds())) }

// Delete removes received messages for good. A stale receipt deletes nothing,
// or what it named if that was not received again, and is no error.
func (q *Queue) Delete(ctx context.Context, receipts []string) error {
	for len(receipts) > 0 {
		n := min(len(receipts), maxEntries)
		if err := q.deleteBatch(ctx, receipts[:n]); err != nil {
			return fmt.Errorf("delete from %s: %w", q.url, err)
		}
		receipts = receipts[n:]
	}
	return nil
}

func (q *Queue) deleteBatch(ctx context.Context, receipts []string) error {
	entries := make([]types.DeleteMessageBatchRequestEntry, len(receipts))
	for i := range receipts {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &receipts[i]}
	}
	out, err := q.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range out.Failed {
		if code := aws.ToString(f.Code); code != invalidReceipt {
			errs = append(errs, errors.New(code))
		}
	}
	return errors.Join(errs...)
}

// invalidReceipt is what SQS says of receipts that are stale for good.
const invalidReceipt = "ReceiptHandleIsInvalid"

// backlogParts are the kinds of messages that SQS counts.
var backlogParts = []types.QueueAttributeName{
	types.QueueAttributeNameApproximateNumberOfMessages,
	types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
}

// Backlog counts about how many messages are in the queue: waiting, delayed
// and handed out.
func (q *Queue) Backlog(ctx context.Context) (int, error) {
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: backlogParts})
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", q.url, err)
	}
	total := 0
	for _, part := range backlogParts {
		n, err := strconv.Atoi(out.Attributes[string(part)])
		if err != nil {
			return 0, fmt.Errorf("count %s: %s: %w", q.url, part, err)
		}
		total += n
	}
	return total, nil
}
