package setup

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// CloudWatch bills each metric in every month in which a line of the log names it.
func TestMetricsThatAreOffStandInNoLine(t *testing.T) {
	for metrics, want := range map[string]bool{"on": true, "off": false} {
		t.Setenv("POSTINO_LOG_LEVEL", "WARN")
		t.Setenv("POSTINO_METRICS", metrics)
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout := os.Stdout
		os.Stdout = write
		f := New()
		os.Stdout = stdout
		f.Metrics.Count("attempts", 1)
		f.check(f.Metrics.Close(time.Now()))
		f.Log.Warn("logged")
		write.Close()
		log, err := io.ReadAll(read)
		if got := strings.Contains(string(log), "CloudWatchMetrics"); err != nil || got != want || !strings.Contains(string(log), "logged") {
			t.Errorf("with metrics %s the log is %q, %v, want a metric in it: %v", metrics, log, err, want)
		}
	}
}
