// Command fanout is the Lambda function that decides who gets an event.
package main

import (
	"github.com/postino/postino/functions/internal/setup"
	"github.com/postino/postino/shared/platform/aws/awslambda"
	"github.com/postino/postino/shared/platform/aws/sqsqueue"
	"github.com/postino/postino/shared/stage/fanout"
)

// bundle is how many first attempts share a message to SQS, which is paid for by
// requests. A batch of ten messages is then up to a hundred callbacks at once.
const bundle = 10

func main() {
	f := setup.New("POSTINO_TABLE", "POSTINO_RETENTION", "POSTINO_PAYLOAD_RETENTION", "POSTINO_ONCE_RETENTION",
		"POSTINO_QUEUE_EVENTS", "POSTINO_QUEUE_DELIVERIES")
	store := f.Store()
	stage := &fanout.Fanout{
		Store:      store,
		Events:     f.Queue("POSTINO_QUEUE_EVENTS"),
		Deliveries: f.Queue("POSTINO_QUEUE_DELIVERIES"),
		Bundle:     bundle,
		Count:      f.Metrics.Count,
		Retention:  f.Retention(),
		Ended:      f.Statistics(store).Ended,
		Results:    f.Results(store),
		Log:        f.Log,
	}
	f.Start(awslambda.Queue(f.Log, sqsqueue.Decode, stage.Handle))
}
