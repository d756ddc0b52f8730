package template

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/postino/postino/shared/measure/metric"
)

// reference is a ${…} of a !Sub.
var reference = regexp.MustCompile(`\$\{[^}]+\}`)

// The dashboard is text to CloudFormation: nothing else would notice a wrong comma, or a metric that is not counted.
func TestTheDashboardShowsMetricsThatAreThere(t *testing.T) {
	template := read(t)
	body := text(at(resources(template, "AWS::CloudWatch::Dashboard")["Overview"]["DashboardBody"], "Fn::Sub"))
	var shown struct {
		Widgets []struct {
			Properties struct {
				Title   string
				Metrics [][]any
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &shown); err != nil {
		t.Fatal(err)
	}
	counted := map[string]string{} // stages, by metric
	for _, m := range metric.All {
		counted[m.Name] = m.Stages
	}
	seen := map[string]bool{}
	for _, w := range shown.Widgets {
		for _, m := range w.Properties.Metrics {
			if m[0] != metric.Namespace {
				continue
			}
			name, stage := text(m[1]), strings.ToLower(strings.Trim(text(m[3]), "${}"))
			if m[2] != metric.Dimension || !slices.Contains(strings.Fields(counted[name]), stage) {
				t.Errorf("%s: %v is not counted by %s", w.Properties.Title, m[1:], stage)
			}
			seen[name] = true
		}
	}
	for _, name := range []string{"events_accepted", "deliveries_succeeded", "end_to_end", "attempt_errors_status", "deliveries_parked", "deliveries_exhausted", "sweep_lag"} {
		if !seen[name] {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
	for _, r := range reference.FindAllString(body, -1) {
		id, _, _ := strings.Cut(strings.Trim(r, "${}"), ".")
		if !strings.HasPrefix(id, "AWS::") && at(template["Resources"], id) == nil {
			t.Errorf("the dashboard names %s, which is not there", r)
		}
	}
}

// The alarm of sweep's silence looks where sweep writes.
func TestTheSweepAlarmWatchesTheMetricThatSweepWrites(t *testing.T) {
	alarm := resources(read(t), "AWS::CloudWatch::Alarm")["SweepLagAlarm"]
	dimension := list(alarm["Dimensions"])[0]
	if alarm["Namespace"] != metric.Namespace || at(dimension, "Name") != metric.Dimension || target(at(dimension, "Value")) != "Sweep" {
		t.Errorf("the alarm watches %v of %v", alarm["Namespace"], dimension)
	}
	if !slices.ContainsFunc(metric.All, func(m metric.Metric) bool { return m.Name == alarm["MetricName"] && m.Stages == "sweep" }) {
		t.Errorf("sweep does not count %v", alarm["MetricName"])
	}
}
