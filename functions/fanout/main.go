// Command fanout is the Lambda function that decides who gets an event.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/postino/postino/functions/internal/setup"
	"github.com/postino/postino/shared/awslambda"
	"github.com/postino/postino/shared/fanout"
	"github.com/postino/postino/shared/queue/sqsqueue"
)

func main() {
	f := setup.New("POSTINO_TABLE", "POSTINO_QUEUE_EVENTS", "POSTINO_QUEUE_DELIVERIES")
	stage := &fanout.Fanout{
		Store:      f.Store(),
		Events:     f.Queue("POSTINO_QUEUE_EVENTS"),
		Deliveries: f.Queue("POSTINO_QUEUE_DELIVERIES"),
		Log:        f.Log,
	}
	lambda.Start(awslambda.Queue(f.Log, sqsqueue.Decode, stage.Handle))
}
