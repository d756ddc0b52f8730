package server

import (
	"context"
	"net/http"
	"time"

	"github.com/postino/postino/shared/egress"
	"github.com/postino/postino/shared/httpapi"
	"github.com/postino/postino/shared/ingest"
	"github.com/postino/postino/shared/manage"
	"github.com/postino/postino/shared/metric"
	"github.com/postino/postino/shared/secret"
)

// routes puts the API together: publishing, the rest, and what only local mode
// has.
func (s *Server) routes(guard *egress.Guard, sealer *secret.Sealer) http.Handler {
	auth := httpapi.NewAdminKey(s.adminKey)
	mux := http.NewServeMux()
	mux.Handle(http.MethodPost+" "+ingest.Pattern, &ingest.Handler{
		Tenants: s.store, Events: s.byName["events"], Auth: auth, Now: s.clock.Now, Log: s.config.Log,
	})
	mux.Handle("/", &manage.Handler{
		Store: s.store, Resend: s.byName["resend"],
		Backlogs: manage.Backlogs{
			Events: s.byName["events"], Deliveries: s.byName["deliveries"], Retries: s.byName["retries"],
		},
		Auth: auth, Secrets: sealer, Destinations: guard, Now: s.clock.Now, Version: s.config.Version, Log: s.config.Log,
	})
	mux.HandleFunc("GET /metrics", s.serveMetrics)
	if s.config.TestClock {
		mux.Handle("/v1/clock", httpapi.NewRouter([]httpapi.Route{
			{Method: http.MethodPost, Pattern: "/v1/clock", Roles: httpapi.Admin, Handle: s.advance},
		}, auth, s.config.Log))
	}
	return mux
}

// serveMetrics answers with everything counted since the start, in
// Prometheus's text format.
func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	var gauges []metric.Gauge
	for _, q := range queueTable {
		if n, err := s.byName[q.name].Backlog(ctx); err == nil {
			gauges = append(gauges, metric.Gauge{Name: "backlog", Labels: `queue="` + q.name + `"`, Value: float64(n)})
		}
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	s.metrics.WritePrometheus(w, gauges...) // an error means that the asker has gone
}
