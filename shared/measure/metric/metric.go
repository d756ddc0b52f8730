// Package metric counts what the stages do, with the same names in local mode
// (Prometheus text at /metrics) and on AWS.
package metric

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Registry holds counters and histograms by name. The zero Registry is ready;
// it is safe for concurrent use.
type Registry struct {
	counters   sync.Map // string → *atomic.Int64
	histograms sync.Map // string → *durations
}

// Count adds n to a counter. The first use creates the counter.
func (r *Registry) Count(name string, n int) {
	c, ok := r.counters.Load(name)
	if !ok {
		c, _ = r.counters.LoadOrStore(name, new(atomic.Int64))
	}
	c.(*atomic.Int64).Add(int64(n))
}

// Observe adds a duration to a histogram. The first use creates the histogram.
func (r *Registry) Observe(name string, d time.Duration) {
	h, ok := r.histograms.Load(name)
	if !ok {
		h, _ = r.histograms.LoadOrStore(name, new(durations))
	}
	h.(*durations).observe(d)
}

// bounds are the upper bounds of a histogram's buckets in seconds: from below
// a local round trip to beyond the longest timeout.
var bounds = [...]float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 300}

type durations struct {
	buckets [len(bounds) + 1]atomic.Int64 // the last is beyond all bounds
	micros  atomic.Int64
}

func (h *durations) observe(d time.Duration) {
	i, _ := slices.BinarySearch(bounds[:], d.Seconds())
	h.buckets[i].Add(1)
	h.micros.Add(d.Microseconds())
}

// Gauge is a figure read at the time of asking.
type Gauge struct {
	Name   string
	Labels string // as Prometheus writes them, such as `queue="events"`; "" for none
	Value  float64
}

// WritePrometheus writes everything in Prometheus's text format, names
// prefixed with "postino_", in alphabetical order.
func (r *Registry) WritePrometheus(w io.Writer, gauges ...Gauge) error {
	p := printer{w: w}
	for _, name := range names(&r.counters) {
		c, _ := r.counters.Load(name)
		p.printf("# TYPE postino_%s_total counter\npostino_%s_total %d\n", name, name, c.(*atomic.Int64).Load())
	}
	for _, name := range names(&r.histograms) {
		h, _ := r.histograms.Load(name)
		p.histogram(name, h.(*durations))
	}
	typed := ""
	for _, g := range gauges {
		if g.Name != typed {
			p.printf("# TYPE postino_%s gauge\n", g.Name)
			typed = g.Name
		}
		if g.Labels != "" {
			g.Labels = "{" + g.Labels + "}"
		}
		p.printf("postino_%s%s %g\n", g.Name, g.Labels, g.Value)
	}
	return p.err
}

func names(m *sync.Map) []string {
	found := map[string]bool{}
	m.Range(func(name, _ any) bool { found[name.(string)] = true; return true })
	return slices.Sorted(maps.Keys(found))
}

// printer prints until the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *printer) histogram(name string, h *durations) {
	p.printf("# TYPE postino_%s_seconds histogram\n", name)
	sum := int64(0)
	for i, bound := range bounds {
		sum += h.buckets[i].Load()
		p.printf("postino_%s_seconds_bucket{le=\"%g\"} %d\n", name, bound, sum)
	}
	sum += h.buckets[len(bounds)].Load()
	p.printf("postino_%s_seconds_bucket{le=\"+Inf\"} %d\n", name, sum)
	p.printf("postino_%s_seconds_sum %g\npostino_%s_seconds_count %d\n", name, float64(h.micros.Load())/1e6, name, sum)
}
