package metric

import (
	"io"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/postino/postino/shared/measure/histogram"
)

// Namespace is where CloudWatch files the metrics, and Dimension their one
// dimension: the function's name. A dimension for each tenant would be paid for
// each.
const (
	Namespace = "Postino"
	Dimension = "function"
)

// between is the least time between two lines that a container writes of its
// own accord: they are paid by their bytes, and by the metrics that they hold.
const between = 10 * time.Second

// Embedded collects what a function counts and writes it, added up, as lines in
// CloudWatch's embedded metric format. Set its fields before the first use. It
// is safe for concurrent use.
type Embedded struct {
	Function string    // the dimension's value
	Out      io.Writer // the function's log

	mu        sync.Mutex
	counters  map[string]int64
	durations map[string]histogram.Counts
	written   time.Time
}

// Count adds n to a counter.
func (e *Embedded) Count(name string, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.counters == nil {
		e.counters = map[string]int64{}
	}
	e.counters[name] += int64(n)
}

// Observe adds a duration to a histogram.
func (e *Embedded) Observe(name string, d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.durations == nil {
		e.durations = map[string]histogram.Counts{}
	}
	if e.durations[name] == nil {
		e.durations[name] = histogram.Counts{}
	}
	e.durations[name].Add(d, 1)
}

// Flush writes what was counted since it last did, unless that was less than
// ten seconds ago: for the end of each batch.
func (e *Embedded) Flush(now time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if now.Sub(e.written) < between {
		return nil
	}
	return e.write(now)
}

// Close writes what was counted since the last line: for the end of a process.
func (e *Embedded) Close(now time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.write(now)
}

// The most metrics of one line, and values of one metric, that CloudWatch takes.
const (
	maxMetrics = 100
	maxValues  = 100
)

// write writes as few lines as its limits allow: one, nearly always.
func (e *Embedded) write(now time.Time) error {
	var figures []figure
	for _, name := range slices.Sorted(maps.Keys(e.counters)) {
		figures = append(figures, figure{name, "Count", strconv.AppendInt(nil, e.counters[name], 10)})
	}
	var further [][]figure // a name may stand in a line once
	for _, name := range slices.Sorted(maps.Keys(e.durations)) {
		first := true
		for buckets := range slices.Chunk(e.durations[name].Buckets(), maxValues) {
			f := figure{name, "Seconds", distribution(e.durations[name], buckets)}
			if first {
				figures, first = append(figures, f), false
				continue
			}
			further = append(further, []figure{f})
		}
	}
	e.counters, e.durations = nil, nil
	for chunk := range slices.Chunk(figures, maxMetrics) {
		further = append(further, chunk)
	}
	for _, line := range further {
		e.written = now
		if _, err := e.Out.Write(e.line(now, line)); err != nil {
			return err
		}
	}
	return nil
}

// figure is one metric of a line.
type figure struct {
	name, unit string
	value      []byte // JSON
}

func (e *Embedded) line(now time.Time, figures []figure) []byte {
	b := append(make([]byte, 0, 1024), `{"_aws":{"Timestamp":`...)
	b = strconv.AppendInt(b, now.UnixMilli(), 10)
	b = append(b, `,"CloudWatchMetrics":[{"Namespace":"`+Namespace+`","Dimensions":[["`+Dimension+`"]],"Metrics":[`...)
	for i, f := range figures {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"Name":"`+f.name+`","Unit":"`+f.unit+`"}`...)
	}
	b = append(b, `]}]},"`+Dimension+`":`...)
	b = strconv.AppendQuote(b, e.Function)
	for _, f := range figures {
		b = append(append(b, `,"`+f.name+`":`...), f.value...)
	}
	return append(b, "}\n"...)
}

// distribution writes values with their counts, as AWS's own OpenTelemetry
// exporter does for histograms.
func distribution(c histogram.Counts, buckets []int) []byte {
	var values, counts []byte
	var n int64
	var sum float64
	for i, bucket := range buckets {
		if i > 0 {
			values, counts = append(values, ','), append(counts, ',')
		}
		value := histogram.Value(bucket).Seconds()
		values, counts = appendSeconds(values, value), strconv.AppendInt(counts, c[bucket], 10)
		n, sum = n+c[bucket], sum+value*float64(c[bucket])
	}
	b := append(append([]byte(`{"Values":[`), values...), `],"Counts":[`...)
	b = append(append(b, counts...), `],"Count":`...)
	b = append(strconv.AppendInt(b, n, 10), `,"Sum":`...)
	b = append(appendSeconds(b, sum), `,"Min":`...)
	b = append(appendSeconds(b, histogram.Value(buckets[0]).Seconds()), `,"Max":`...)
	return append(appendSeconds(b, histogram.Value(buckets[len(buckets)-1]).Seconds()), '}')
}

// appendSeconds writes four digits: more than a bucket knows.
func appendSeconds(b []byte, seconds float64) []byte {
	return strconv.AppendFloat(b, seconds, 'g', 4, 64)
}
