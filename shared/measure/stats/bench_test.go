package stats_test

import (
	"testing"
	"time"

	"github.com/postino/postino/shared/measure/stats"
	"github.com/postino/postino/shared/webhook"
)

// BenchmarkDelivery counts one delivery that succeeds at once.
func BenchmarkDelivery(b *testing.B) {
	r := &stats.Recorder{Store: &memory{}}
	d := ended(sub, webhook.Succeeded, time.Now())
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		took := time.Duration(i%100) * time.Millisecond
		r.Attempt(sub, "", took)
		r.Arrived(sub, 2*took)
		r.Ended(d)
	}
}
