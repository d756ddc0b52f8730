// Package histogram counts durations in buckets. Histograms from different
// places and times can be added, and the percentiles of the sum are as exact as
// those of each.
//
// Buckets grow by an eighth of a doubling, from a microsecond to 25 days. What
// is read from a histogram is therefore within 4.5 % of what was counted.
package histogram

import (
	"maps"
	"math"
	"slices"
	"time"
)

// perDoubling is the number of buckets between a duration and its double.
const perDoubling = 8

// Last is the highest bucket: it holds all beyond 25 days too.
const Last = 41 * perDoubling

// Bucket returns the bucket that counts d, 0 to [Last].
func Bucket(d time.Duration) int {
	if d <= time.Microsecond {
		return 0
	}
	return min(int(perDoubling*math.Log2(float64(d)/float64(time.Microsecond))), Last)
}

// Value returns the duration in the middle of a bucket.
func Value(bucket int) time.Duration {
	return time.Duration(math.Exp2((float64(bucket)+0.5)/perDoubling) * float64(time.Microsecond))
}

// Counts says how many durations each bucket holds.
type Counts map[int]int64

// Add counts n durations of d.
func (c Counts) Add(d time.Duration, n int64) { c[Bucket(d)] += n }

// Total returns how many durations were counted.
func (c Counts) Total() (n int64) {
	for _, k := range c {
		n += k
	}
	return n
}

// Buckets returns the buckets that hold something, ascending.
func (c Counts) Buckets() []int {
	var buckets []int
	for _, b := range slices.Sorted(maps.Keys(c)) {
		if c[b] > 0 {
			buckets = append(buckets, b)
		}
	}
	return buckets
}

// Percentile returns the least duration that at least the share p (0 to 1) of
// all does not exceed; 0 if there are none.
func (c Counts) Percentile(p float64) time.Duration {
	rank := max(1, int64(math.Ceil(p*float64(c.Total()))))
	for _, b := range c.Buckets() {
		if rank -= c[b]; rank <= 0 {
			return Value(b)
		}
	}
	return 0
}
