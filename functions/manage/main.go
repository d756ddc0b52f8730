// Command manage is the Lambda function for the whole API except publishing.
package main

import (
	"time"

	"github.com/postino/postino/functions/internal/admin"
	"github.com/postino/postino/functions/internal/outgoing"
	"github.com/postino/postino/functions/internal/sealing"
	"github.com/postino/postino/functions/internal/setup"
	"github.com/postino/postino/shared/callback/egress"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/platform/aws/awslambda"
	"github.com/postino/postino/shared/postino"
	"github.com/postino/postino/shared/stage/delivery"
	"github.com/postino/postino/shared/stage/manage"
	"github.com/postino/postino/shared/webhook"
)

func main() {
	f := setup.New("POSTINO_TABLE", "POSTINO_RETENTION", "POSTINO_PAYLOAD_RETENTION", "POSTINO_ONCE_RETENTION",
		"POSTINO_QUEUE_EVENTS", "POSTINO_QUEUE_DELIVERIES", "POSTINO_QUEUE_RETRIES", "POSTINO_QUEUE_RESEND", "POSTINO_QUEUE_EXHAUSTED",
		"POSTINO_KMS_KEY", "POSTINO_ADMIN_KEY_SECRET", "POSTINO_EGRESS_ALLOW", "POSTINO_EGRESS_PORTS", "POSTINO_API_HOST", "POSTINO_MAX_SUBSCRIPTIONS", "POSTINO_STRICT_TENANTS")
	store, sealer, guard := f.Store(), sealing.New(f), outgoing.Guard(f)
	statistics := f.Statistics(store)
	deliverer := &delivery.Deliverer{
		Store: store, Retries: f.Queue("POSTINO_QUEUE_RETRIES"), Resend: f.Queue("POSTINO_QUEUE_RESEND"),
		Exhausted: f.Queue("POSTINO_QUEUE_EXHAUSTED"), Events: f.Queue("POSTINO_QUEUE_EVENTS"),
		Client: egress.NewClient(egress.NewFunctionTransport(guard)), Private: egress.NewPool(guard), Class: egress.Class,
		Secrets: sealer, Now: time.Now, Count: f.Metrics.Count, Observe: f.Metrics.Observe, Stats: statistics, Results: f.Results(store),
		Version: postino.Version, Log: f.Log,
	}
	stage := &manage.Handler{
		Store:  store,
		Resend: f.Queue("POSTINO_QUEUE_RESEND"),
		Events: f.Queue("POSTINO_QUEUE_EVENTS"),
		Backlogs: manage.Backlogs{
			Events:     f.Queue("POSTINO_QUEUE_EVENTS"),
			Deliveries: f.Queue("POSTINO_QUEUE_DELIVERIES"),
			Retries:    f.Queue("POSTINO_QUEUE_RETRIES"),
		},
		Secrets:      sealer,
		Destinations: guard,
		Tester:       deliverer,
		Puller:       deliverer,
		Failed:       sealer.Failed,
		Counter:      lifecycle.Counter{Count: f.Metrics.Count, Stats: statistics.Ended},
		Retention:    f.Retention(),
		Quota:        webhook.Quota{Subscriptions: f.Number("POSTINO_MAX_SUBSCRIPTIONS"), Filters: webhook.DefaultQuota.Filters},
		Made:         f.Value("POSTINO_STRICT_TENANTS") == "on",
		Auth:         admin.Authenticator(f),
		Version:      postino.Version,
		Log:          f.Log,
	}
	f.Start(awslambda.HTTP(stage))
}
