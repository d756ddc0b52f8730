package server

import (
	"context"
	"time"

	"github.com/postino/postino/shared/api/apikey"
	"github.com/postino/postino/shared/measure/results"
	"github.com/postino/postino/shared/measure/stats"
	"github.com/postino/postino/shared/stage/delivery"
	"github.com/postino/postino/shared/stage/fanout"
	"github.com/postino/postino/shared/stage/ingest"
	"github.com/postino/postino/shared/stage/job"
	"github.com/postino/postino/shared/stage/manage"
	"github.com/postino/postino/shared/stage/sweep"
)

// Store is what the stages, and a clock that stands still, ask of storage.
type Store interface {
	apikey.Store
	ingest.Tenants
	ingest.Types
	fanout.Store
	delivery.Store
	manage.Store
	sweep.Store
	job.Store
	stats.Store
	results.Store
	// NextDue returns the time of the earliest due pointer, zero if there is
	// none. It is asked only with a test clock.
	NextDue(ctx context.Context) (time.Time, error)
}
