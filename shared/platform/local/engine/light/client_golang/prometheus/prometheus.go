// Package prometheus has what Pebble says of github.com/prometheus/client_golang:
// histograms of the syncs of its log and of a shared cache. Postino has neither,
// so they count nothing.
package prometheus

// Histogram takes values.
type Histogram interface{ Observe(value float64) }

// HistogramOpts describe a histogram.
type HistogramOpts struct{ Buckets []float64 }

// NewHistogram returns a histogram that counts nothing.
func NewHistogram(HistogramOpts) Histogram { return nothing{} }

type nothing struct{}

func (nothing) Observe(float64) {}

// LinearBuckets returns none.
func LinearBuckets(_, _ float64, _ int) []float64 { return nil }

// ExponentialBucketsRange returns none.
func ExponentialBucketsRange(_, _ float64, _ int) []float64 { return nil }
