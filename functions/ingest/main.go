// Command ingest is the Lambda function that accepts published events.
package main

import (
	"time"

	"github.com/postino/postino/functions/internal/admin"
	"github.com/postino/postino/functions/internal/setup"
	"github.com/postino/postino/shared/platform/aws/awslambda"
	"github.com/postino/postino/shared/stage/ingest"
)

// countEvery is how long a count of what waits is good for: it costs two
// requests, and a backlog that matters takes longer to come and go.
const countEvery = 10 * time.Second

func main() {
	f := setup.New("POSTINO_TABLE", "POSTINO_QUEUE_EVENTS", "POSTINO_QUEUE_DELIVERIES", "POSTINO_MAX_BACKLOG", "POSTINO_STRICT_TYPES", "POSTINO_STRICT_TENANTS", "POSTINO_ADMIN_KEY_SECRET")
	store, events := f.Store(), f.Queue("POSTINO_QUEUE_EVENTS")
	stage := &ingest.Handler{
		Tenants: store,
		Types:   store,
		Events:  events,
		Records: store,
		Limit: &ingest.Limit{
			Messages: f.Number("POSTINO_MAX_BACKLOG"),
			Queues:   []ingest.Backlog{events, f.Queue("POSTINO_QUEUE_DELIVERIES")},
			Every:    countEvery,
		},
		Strict: f.Value("POSTINO_STRICT_TYPES") == "on",
		Made:   f.Value("POSTINO_STRICT_TENANTS") == "on",
		Auth:   admin.Authenticator(f),
		Count:  f.Metrics.Count,
		Log:    f.Log,
	}
	f.Start(awslambda.HTTP(stage))
}
