package pattern

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"
)

// fastest returns the time that one f takes: of many short batches, the one least disturbed by others.
func fastest(f func()) time.Duration {
	const batch = 20
	least := time.Hour
	for began := time.Now(); time.Since(began) < 300*time.Millisecond; {
		start := time.Now()
		for range batch {
			f()
		}
		least = min(least, time.Since(start)/batch)
	}
	return least
}

// parseSample is the yardstick: encoding/json reading the sample into any.
func parseSample() {
	var v any
	_ = json.Unmarshal(sample.Data, &v)
}

// BenchmarkMatch decodes and matches the sample against mixed subscriptions of which ten match. It reports how often
// that takes the time to parse the sample with encoding/json ("of-json"), and the time at 1,000 subscriptions
// ("of-1000").
func BenchmarkMatch(b *testing.B) {
	parse, least := fastest(parseSample), time.Duration(0)
	for _, n := range []int{1000, 10_000, 100_000} {
		x, _ := filled(b, n)
		matched, checked := 0, 0
		match := func() {
			e, _ := Decode(sample)
			matched = 0
			checked = x.Match(e, func(int) bool { matched++; return true })
		}
		each := fastest(match)
		if n == 1000 {
			least = each
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				match()
			}
			b.ReportMetric(float64(each)/float64(parse), "of-json")
			b.ReportMetric(float64(each)/float64(least), "of-1000")
			b.ReportMetric(float64(matched), "matched")
			b.ReportMetric(float64(checked), "checked")
		})
	}
}

// BenchmarkWorstCase matches the sample against subscriptions with only negative conditions, all candidates for
// every event; one in a hundred matches.
func BenchmarkWorstCase(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var x Index[int]
			for i := range n {
				other := "session"
				if i%100 == 0 {
					other = fmt.Sprint("missing", i)
				}
				p, err := Compile(fmt.Appendf(nil, `{"data":{"note":[{"exists":false}],"%s":[{"exists":false}],"f%d":[{"exists":false}]}}`, other, i), "")
				if err != nil {
					b.Fatal(err)
				}
				x.Add(i, nil, p)
			}
			e, err := Decode(sample)
			if err != nil {
				b.Fatal(err)
			}
			checked := 0
			for b.Loop() {
				checked = x.Match(e, func(int) bool { return true })
			}
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(n), "ns/subscription")
			b.ReportMetric(float64(checked), "checked")
		})
	}
}

// BenchmarkBuild compiles and adds 100,000 subscriptions, and reports the memory that they hold.
func BenchmarkBuild(b *testing.B) {
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		began := time.Now()
		x, _ := filled(b, 100_000)
		took := time.Since(began)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(took.Seconds(), "s/build")
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB-held")
		runtime.KeepAlive(x)
	}
}

// BenchmarkAdd replaces one of 100,000 subscriptions, compiling included, and reports what 99 % and all of them took
// at most.
func BenchmarkAdd(b *testing.B) {
	const n = 100_000
	x, _ := filled(b, n)
	var took []time.Duration
	for b.Loop() {
		i := len(took) * 7919 % n
		began := time.Now()
		types, text := mixed(i, n)
		p, err := Compile([]byte(text), "")
		if err != nil {
			b.Fatal(err)
		}
		x.Add(i, types, p)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1000, "p99-µs")
	b.ReportMetric(float64(took[len(took)-1].Nanoseconds())/1000, "slowest-µs")
}

// BenchmarkDecode decodes the sample, and reports how often that takes the time of encoding/json.
func BenchmarkDecode(b *testing.B) {
	ratio := float64(fastest(func() { _, _ = Decode(sample) })) / float64(fastest(parseSample))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(sample); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(ratio, "of-json")
}
