// Package awslambda converts Lambda's invocations into calls of the stages, and
// the results back. No other package knows Lambda's event shapes.
package awslambda

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"github.com/postino/postino/shared/queue"
)

// QueueHandler works a batch and returns the ids of the messages that must
// come again.
type QueueHandler func(ctx context.Context, batch []queue.Message) (failed []string)

// Queue makes a Lambda handler for an SQS mapping with partial batch
// responses. Decode undoes what the sending side did to the bodies; a body it
// refuses counts as failed, so that it ends in the dead-letter queue and not
// nowhere. If all of a batch failed, so does the invocation: to Lambda's metrics
// and to a deployment's alarms a partial failure is a success.
func Queue(log *slog.Logger, decode func(body string) ([]byte, error), handle QueueHandler) func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	return func(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
		var resp events.SQSEventResponse
		batch := make([]queue.Message, 0, len(e.Records))
		for _, r := range e.Records {
			body, err := decode(r.Body)
			if err != nil {
				log.Error("read message", "id", r.MessageId, "queue", r.EventSourceARN, "error", err)
				resp.BatchItemFailures = append(resp.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.MessageId})
				continue
			}
			received, _ := strconv.Atoi(r.Attributes["ApproximateReceiveCount"]) // absent in a hand-made event: 0
			batch = append(batch, queue.Message{
				ID: r.MessageId, Receipt: r.ReceiptHandle, Body: body,
				Group: r.Attributes["MessageGroupId"], Received: received,
			})
		}
		if len(batch) > 0 {
			for _, id := range handle(ctx, batch) {
				resp.BatchItemFailures = append(resp.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
			}
		}
		if n := len(resp.BatchItemFailures); n > 0 && n == len(e.Records) {
			return events.SQSEventResponse{}, fmt.Errorf("all %d messages of the batch failed, and come again", n)
		}
		return resp, nil
	}
}

// Schedule makes a Lambda handler for a schedule: the event says nothing but
// that it is time.
func Schedule(run func(context.Context) error) func(context.Context, events.EventBridgeEvent) error {
	return func(ctx context.Context, _ events.EventBridgeEvent) error {
		if err := run(ctx); err != nil {
			return fmt.Errorf("run: %w", err)
		}
		return nil
	}
}
