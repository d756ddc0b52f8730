package histogram_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/postino/postino/shared/measure/histogram"
)

func TestEveryDurationIsReadWithinItsError(t *testing.T) {
	const most = 0.045
	last := -1
	for d := time.Microsecond; d < 25*24*time.Hour; d += d/50 + 1 {
		b := histogram.Bucket(d)
		if got := histogram.Value(b); math.Abs(float64(got)/float64(d)-1) > most {
			t.Fatalf("%v is read as %v", d, got)
		}
		if b < last {
			t.Fatalf("%v is in bucket %d, less is in %d", d, b, last)
		}
		last = b
	}
	for d, want := range map[time.Duration]int{-time.Second: 0, 0: 0, time.Nanosecond: 0, math.MaxInt64: histogram.Last} {
		if got := histogram.Bucket(d); got != want {
			t.Errorf("%v is in bucket %d, want %d", d, got, want)
		}
	}
}

func TestPercentilesOfAMergeAreThoseOfAll(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	merged := histogram.Counts{}
	var all []time.Duration
	for range 5 {
		part := histogram.Counts{}
		for range 2000 {
			d := time.Duration(math.Exp(random.NormFloat64()*2) * float64(30*time.Millisecond))
			part.Add(d, 1)
			all = append(all, d)
		}
		for b, n := range part {
			merged[b] += n
		}
	}
	slices.Sort(all)
	for _, p := range []float64{0.001, 0.5, 0.95, 0.99, 0.9999, 1} {
		want := all[max(0, int(math.Ceil(p*float64(len(all))))-1)]
		if got := merged.Percentile(p); math.Abs(float64(got)/float64(want)-1) > 0.045 {
			t.Errorf("p%v = %v, want %v within 4.5 %%", 100*p, got, want)
		}
	}
	if merged.Total() != int64(len(all)) {
		t.Errorf("total %d, want %d", merged.Total(), len(all))
	}
	if got := (histogram.Counts{}).Percentile(0.5); got != 0 {
		t.Errorf("of nothing, the median is %v", got)
	}
}
