package server

import (
	"bytes"
	"context"
	"net/http"
	"regexp"
	"runtime"
	"time"

	"github.com/postino/postino/shared/api/apikey"
	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/egress"
	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/measure/metric"
	"github.com/postino/postino/shared/stage/ingest"
	"github.com/postino/postino/shared/stage/manage"
)

// routes puts the API together: publishing, the rest, and what only local mode
// has.
func (s *Server) routes(guard *egress.Guard, sealer *secret.Sealer) http.Handler {
	auth := &apikey.Authenticator{Admin: httpapi.NewAdminKey(s.adminKey), Store: s.store, Now: s.clock.Now}
	intake := newIntake()
	r := &routes{
		ingest: &ingest.Handler{
			Tenants: s.store, Types: s.store, Records: s.store, Events: s.byName["events"], Auth: auth, Now: s.clock.Now, Log: s.config.Log,
			Strict: s.config.StrictTypes, Made: s.config.StrictTenants, Limit: s.limit(), Intake: intake, Count: s.metrics.Count,
		},
		manage: &manage.Handler{
			Store: s.store, Resend: s.byName["resend"], Events: s.byName["events"],
			Backlogs: manage.Backlogs{
				Events: s.byName["events"], Deliveries: s.byName["deliveries"], Retries: s.byName["retries"],
			},
			Intake: intake, Failed: s.db.Failed, Auth: auth, Secrets: sealer, Destinations: guard, Tester: s.delivery, Puller: s.delivery, Bells: &s.bells, Retention: s.config.Retention, Quota: s.config.Quota, Made: s.config.StrictTenants, Counter: s.counter(),
			Now: s.clock.Now, Version: s.config.Version, Log: s.config.Log,
		},
		metrics: s.metricsRoutes(),
	}
	if s.config.TestClock {
		clock := httpapi.NewRouter([]httpapi.Route{
			{Method: http.MethodPost, Pattern: clockPath, Roles: httpapi.Admin, Handle: s.advance},
		}, auth, s.config.Log)
		clock.Intake = intake
		r.clock = clock
	}
	return answering(ownHosts(s.listener.Addr(), s.config.Addr, s.config.Hosts, r))
}

const (
	clockPath   = "/v1/clock"
	metricsPath = "/metrics"
)

// routes sends each request to whom it concerns, as API Gateway does on AWS:
// publishing to ingest, and all that is not local mode's own to manage.
type routes struct {
	ingest, manage, metrics http.Handler
	clock                   http.Handler // nil without a test clock
}

var publishPath = regexp.MustCompile(`^/v1/tenants/[^/]+/events$`)

func (rt *routes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.EscapedPath(); {
	case r.Method == http.MethodPost && publishPath.MatchString(path):
		rt.ingest.ServeHTTP(w, r)
	case path == metricsPath:
		rt.metrics.ServeHTTP(w, r)
	case rt.clock != nil && path == clockPath:
		rt.clock.ServeHTTP(w, r)
	default:
		rt.manage.ServeHTTP(w, r)
	}
}

// showMetrics answers with everything counted since the start, in Prometheus's
// text format.
func (s *Server) showMetrics(r *httpapi.Request) (httpapi.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	var gauges []metric.Gauge
	gauges = append(gauges, metric.Gauge{Name: "goroutines", Value: float64(runtime.NumGoroutine())})
	for _, q := range queueTable {
		if n, err := s.byName[q.name].Backlog(ctx); err == nil {
			gauges = append(gauges, metric.Gauge{Name: "backlog", Labels: `queue="` + q.name + `"`, Value: float64(n)})
		}
	}
	var text bytes.Buffer
	if err := s.metrics.WritePrometheus(&text, gauges...); err != nil {
		return httpapi.Response{}, err
	}
	header := http.Header{"Content-Type": {"text/plain; version=0.0.4; charset=utf-8"}}
	return httpapi.Response{Status: http.StatusOK, Header: header, Body: httpapi.Encoded(text.Bytes())}, nil
}
