package metric_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/measure/histogram"
	"github.com/postino/postino/shared/measure/metric"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// document is a line as the specification of the embedded metric format
// describes it.
type document struct {
	AWS struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	} `json:"_aws"`
	targets map[string]json.RawMessage
}

// units are those that CloudWatch knows, as far as we use them.
var units = map[string]bool{"Count": true, "Seconds": true}

// read checks a line by the rules of the specification: the limits of names,
// dimensions, metrics and values, and that all that a directive names is there.
func read(t testing.TB, line string) document {
	t.Helper()
	var d document
	strict := json.NewDecoder(strings.NewReader(line))
	if err := errors.Join(json.Unmarshal([]byte(line), &d), strict.Decode(&d.targets)); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if strict.More() || len(line) > 1<<20 {
		t.Errorf("the line holds more than one object, or more than 1 MB")
	}
	if age := noon.Sub(time.UnixMilli(d.AWS.Timestamp)); age < -2*time.Hour || age > 14*24*time.Hour {
		t.Errorf("timestamp %d", d.AWS.Timestamp)
	}
	if len(d.AWS.CloudWatchMetrics) != 1 {
		t.Fatalf("%d directives", len(d.AWS.CloudWatchMetrics))
	}
	directive := d.AWS.CloudWatchMetrics[0]
	if n := len(directive.Namespace); n < 1 || n > 1024 {
		t.Errorf("namespace %q", directive.Namespace)
	}
	for _, set := range directive.Dimensions {
		if len(set) > 30 {
			t.Errorf("%d dimensions", len(set))
		}
		for _, name := range set {
			var value string
			if err := json.Unmarshal(d.targets[name], &value); err != nil || value == "" || len(value) > 1024 || len(name) > 250 {
				t.Errorf("dimension %s = %s", name, d.targets[name])
			}
		}
	}
	if n := len(directive.Metrics); n < 1 || n > 100 {
		t.Errorf("%d metrics", n)
	}
	seen := map[string]bool{}
	for _, m := range directive.Metrics {
		if n := len(m.Name); n < 1 || n > 1024 || seen[m.Name] || !units[m.Unit] || d.targets[m.Name] == nil {
			t.Errorf("metric %+v, value %s", m, d.targets[m.Name])
		}
		seen[m.Name] = true
	}
	return d
}

func (d document) number(t testing.TB, name string) (n int64) {
	t.Helper()
	if err := json.Unmarshal(d.targets[name], &n); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return n
}

type distribution struct {
	Values, Counts       []float64
	Count, Sum, Min, Max float64
}

func (d document) distribution(t testing.TB, name string) (v distribution) {
	t.Helper()
	if err := json.Unmarshal(d.targets[name], &v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	n, sum := 0.0, 0.0
	for i, value := range v.Values {
		n, sum = n+v.Counts[i], sum+v.Counts[i]*value
		if value < v.Min || value > v.Max || i > 0 && value <= v.Values[i-1] {
			t.Errorf("%s: values %v, from %g to %g", name, v.Values, v.Min, v.Max)
		}
	}
	if len(v.Values) > 100 || len(v.Counts) != len(v.Values) || n != v.Count || sum > 1.001*v.Sum || sum < 0.999*v.Sum {
		t.Errorf("%s: %d values, %d counts, count %g of %g, sum %g of %g", name, len(v.Values), len(v.Counts), v.Count, n, v.Sum, sum)
	}
	return v
}

func TestALineHoldsAllThatWasCounted(t *testing.T) {
	var out bytes.Buffer
	e := &metric.Embedded{Function: "postino-delivery", Out: &out}
	for _, m := range metric.All {
		for i := range 1000 {
			switch m.Kind {
			case metric.Counter:
				e.Count(m.Name, 3)
			case metric.Histogram:
				e.Observe(m.Name, time.Duration(5+i%20)*time.Millisecond)
			}
		}
	}
	if err := e.Close(noon); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 1 {
		t.Fatalf("%d lines, want one", lines)
	}
	d := read(t, out.String())
	for _, m := range metric.All {
		switch m.Kind {
		case metric.Counter:
			if n := d.number(t, m.Name); n != 3000 {
				t.Errorf("%s = %d, want 3000", m.Name, n)
			}
		case metric.Histogram:
			if v := d.distribution(t, m.Name); v.Count != 1000 || v.Min < 0.0047 || v.Max > 0.0252 {
				t.Errorf("%s = %+v", m.Name, v)
			}
		}
	}
	if string(d.targets["function"]) != `"postino-delivery"` {
		t.Errorf("function = %s", d.targets["function"])
	}
}

func TestALineIsAboutOneKilobyte(t *testing.T) {
	var out bytes.Buffer
	e := &metric.Embedded{Function: "postino-delivery", Out: &out}
	for _, name := range []string{"attempts", "retries", "attempt_errors_status", "attempt_errors_timeout", "deliveries_succeeded", "deliveries_parked"} {
		e.Count(name, 1234)
	}
	for i := range 3000 {
		e.Observe("attempt", time.Duration(20+i%60)*time.Millisecond)
		e.Observe("end_to_end", time.Duration(40+i%90)*time.Millisecond)
	}
	if err := e.Close(noon); err != nil {
		t.Fatal(err)
	}
	read(t, out.String())
	if out.Len() > 1300 {
		t.Errorf("a busy container's line has %d bytes", out.Len())
	}
}

func TestMoreValuesThanALineTakesFillAnother(t *testing.T) {
	var out bytes.Buffer
	e := &metric.Embedded{Function: "f", Out: &out}
	for b := range histogram.Last {
		e.Observe("attempt", histogram.Value(b))
	}
	for i := range 150 {
		e.Count(fmt.Sprintf("counter_%d", i), 1)
	}
	if err := e.Close(noon); err != nil {
		t.Fatal(err)
	}
	values, counters := 0.0, 0
	for line := range strings.Lines(out.String()) {
		d := read(t, line)
		if d.targets["attempt"] != nil {
			values += d.distribution(t, "attempt").Count
		}
		counters += strings.Count(line, `"Unit":"Count"`)
	}
	if values != histogram.Last || counters != 150 {
		t.Errorf("%g durations and %d counters were written, want %d and 150", values, counters, histogram.Last)
	}
}

func TestFlushWritesAtMostEveryTenSeconds(t *testing.T) {
	var out bytes.Buffer
	e := &metric.Embedded{Function: "f", Out: &out}
	wrote := func(when string, want int64) {
		t.Helper()
		got := int64(0)
		if out.Len() > 0 {
			got = read(t, out.String()).number(t, "attempts")
		}
		if got != want {
			t.Errorf("%s: wrote %d attempts, want %d", when, got, want)
		}
		out.Reset()
	}
	flush := func(after time.Duration) {
		if err := e.Flush(noon.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	flush(0)
	wrote("nothing counted", 0)
	e.Count("attempts", 1)
	flush(time.Second)
	wrote("first", 1)
	e.Count("attempts", 2)
	flush(10 * time.Second)
	wrote("after nine seconds", 0)
	flush(11 * time.Second)
	wrote("after ten", 2)
	e.Count("attempts", 4)
	if err := e.Close(noon.Add(12 * time.Second)); err != nil {
		t.Fatal(err)
	}
	wrote("at the end", 4)
}

func TestALogThatFailsIsReported(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	e := &metric.Embedded{Function: "f", Out: w}
	e.Count("attempts", 1)
	if err := e.Close(noon); err == nil {
		t.Error("no error")
	}
}
