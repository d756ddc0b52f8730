// Command delivery is the Lambda function that posts callbacks.
package main

import (
	"time"

	"github.com/postino/postino/functions/internal/outgoing"
	"github.com/postino/postino/functions/internal/sealing"
	"github.com/postino/postino/functions/internal/setup"
	"github.com/postino/postino/shared/callback/egress"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/platform/aws/awslambda"
	"github.com/postino/postino/shared/platform/aws/sqsqueue"
	"github.com/postino/postino/shared/postino"
	"github.com/postino/postino/shared/stage/delivery"
	"github.com/postino/postino/shared/stage/job"
)

func main() {
	f := setup.New("POSTINO_TABLE", "POSTINO_RETENTION", "POSTINO_PAYLOAD_RETENTION", "POSTINO_QUEUE_EVENTS", "POSTINO_QUEUE_RETRIES", "POSTINO_QUEUE_RESEND", "POSTINO_QUEUE_EXHAUSTED",
		"POSTINO_KMS_KEY", "POSTINO_EGRESS_ALLOW", "POSTINO_EGRESS_PORTS", "POSTINO_API_HOST")
	store, retries, resend := f.Store(), f.Queue("POSTINO_QUEUE_RETRIES"), f.Queue("POSTINO_QUEUE_RESEND")
	guard, statistics := outgoing.Guard(f), f.Statistics(store)
	stage := &delivery.Deliverer{
		Store:     store,
		Far:       true,
		Retries:   retries,
		Resend:    resend,
		Exhausted: f.Queue("POSTINO_QUEUE_EXHAUSTED"),
		Events:    f.Queue("POSTINO_QUEUE_EVENTS"),
		Client:    egress.NewClient(egress.NewFunctionTransport(guard)),
		Private:   egress.NewPool(guard),
		Class:     egress.Class,
		Secrets:   sealing.Opener(f),
		Jobs: &job.Worker{
			Store: store, Resend: resend, Retries: retries, Events: f.Queue("POSTINO_QUEUE_EVENTS"), Log: f.Log,
			Secrets: sealing.Opener(f),
			Counter: lifecycle.Counter{Count: f.Metrics.Count, Stats: statistics.Ended},
		},
		Now:     time.Now,
		Count:   f.Metrics.Count,
		Stats:   statistics,
		Results: f.Results(store),
		Observe: f.Metrics.Observe,
		Version: postino.Version,
		Log:     f.Log,
	}
	f.Start(awslambda.Queue(f.Log, sqsqueue.Decode, stage.Handle))
}
