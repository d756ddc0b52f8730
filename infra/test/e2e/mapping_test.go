package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// mapping is an event source mapping: it hands batches of a queue's messages to
// a function and deletes what the function did not report as failed. The rest
// comes again when its visibility timeout is over; how often, is the queue's
// matter.
type mapping struct {
	sqs      *sqs.Client
	queue    string // URL
	arn      string
	function *function
	batch    int
	partial  bool // the function reports failures message by message
}

// poll works until ctx ends.
func (m *mapping) poll(ctx context.Context) {
	for ctx.Err() == nil {
		out, err := m.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &m.queue, MaxNumberOfMessages: int32(m.batch), WaitTimeSeconds: 5,
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		if len(out.Messages) > 0 {
			m.work(context.WithoutCancel(ctx), out.Messages)
		}
	}
}

// work invokes the function with a batch and deletes what it did.
func (m *mapping) work(ctx context.Context, batch []types.Message) {
	payload, err := json.Marshal(m.event(batch))
	if err != nil {
		panic(err)
	}
	answer, err := m.function.invoke(ctx, payload)
	failed, ok := m.failures(batch, answer)
	if err != nil || !ok {
		fmt.Fprintf(m.function.log, "a batch of %d failed: %v, %s\n", len(batch), err, answer)
		return
	}
	var done []types.DeleteMessageBatchRequestEntry
	for i, message := range batch {
		if !failed[*message.MessageId] {
			done = append(done, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: message.ReceiptHandle})
		}
	}
	if len(done) > 0 {
		m.sqs.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &m.queue, Entries: done}) // else they come again
	}
}

func (m *mapping) event(batch []types.Message) (e events.SQSEvent) {
	for _, message := range batch {
		e.Records = append(e.Records, events.SQSMessage{
			MessageId: *message.MessageId, ReceiptHandle: *message.ReceiptHandle, Body: *message.Body,
			Md5OfBody: aws.ToString(message.MD5OfBody), Attributes: message.Attributes,
			EventSourceARN: m.arn, EventSource: "aws:sqs", AWSRegion: region,
		})
	}
	return e
}

// failures reads which messages failed. An answer that Lambda does not
// understand, or that names another message, fails the batch: ok is false.
func (m *mapping) failures(batch []types.Message, answer []byte) (failed map[string]bool, ok bool) {
	failed = map[string]bool{}
	if !m.partial {
		return failed, true
	}
	var response events.SQSEventResponse
	if len(answer) > 0 && json.Unmarshal(answer, &response) != nil {
		return nil, false
	}
	sent := map[string]bool{}
	for _, message := range batch {
		sent[*message.MessageId] = true
	}
	for _, f := range response.BatchItemFailures {
		if !sent[f.ItemIdentifier] {
			return nil, false
		}
		failed[f.ItemIdentifier] = true
	}
	return failed, true
}
