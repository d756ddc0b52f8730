package metric_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/measure/metric"
)

func TestMetricsReadAsPrometheusText(t *testing.T) {
	var r metric.Registry
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() { r.Count("attempts", 2) })
	}
	wg.Wait()
	r.Observe("attempt", 3*time.Millisecond)
	r.Observe("attempt", 10*time.Minute)
	var text strings.Builder
	if err := r.WritePrometheus(&text, metric.Gauge{Name: "backlog", Labels: `queue="events"`, Value: 3}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text.String(), "\n")
	want := []string{
		"# TYPE postino_attempts_total counter",
		"postino_attempts_total 20",
		"# TYPE postino_attempt_seconds histogram",
		`postino_attempt_seconds_bucket{le="0.001"} 0`,
		`postino_attempt_seconds_bucket{le="0.0025"} 0`,
		`postino_attempt_seconds_bucket{le="0.005"} 1`,
	}
	if diff := cmp.Diff(want, lines[:len(want)]); diff != "" {
		t.Errorf("beginning differs (-want +got):\n%s", diff)
	}
	want = []string{
		`postino_attempt_seconds_bucket{le="300"} 1`,
		`postino_attempt_seconds_bucket{le="+Inf"} 2`,
		"postino_attempt_seconds_sum 600.003",
		"postino_attempt_seconds_count 2",
		"# TYPE postino_backlog gauge",
		`postino_backlog{queue="events"} 3`,
		"",
	}
	if diff := cmp.Diff(want, lines[len(lines)-len(want):]); diff != "" {
		t.Errorf("end differs (-want +got):\n%s", diff)
	}
}
