// Command sweep is the Lambda function that queues what is due, once a minute.
package main

import (
	"time"

	"github.com/postino/postino/functions/internal/setup"
	"github.com/postino/postino/shared/platform/aws/awslambda"
	"github.com/postino/postino/shared/stage/sweep"
)

func main() {
	f := setup.New("POSTINO_TABLE", "POSTINO_RETENTION", "POSTINO_PAYLOAD_RETENTION", "POSTINO_QUEUE_RETRIES", "POSTINO_QUEUE_RESEND", "POSTINO_QUEUE_EVENTS")
	stage := &sweep.Sweeper{
		Store:   f.Store(),
		Retries: f.Queue("POSTINO_QUEUE_RETRIES"),
		Resend:  f.Queue("POSTINO_QUEUE_RESEND"),
		Events:  f.Queue("POSTINO_QUEUE_EVENTS"),
		Count:   f.Metrics.Count,
		Observe: f.Metrics.Observe,
		Now:     time.Now,
		Log:     f.Log,
	}
	f.Start(awslambda.Schedule(stage.Sweep))
}
