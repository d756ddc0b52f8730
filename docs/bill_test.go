package docs

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/postino/postino/infra/bill"
)

// The table in cost.md is the recorded usage at the recorded prices. What is
// recorded is counted by TestTheBill of infra/test/e2e; with POSTINO_UPDATE=1 it is
// written into the page.
func TestTheBillIsTheOneThatWasCounted(t *testing.T) {
	text := pages(t)["docs/cost.md"]
	table := bill.Tables(bill.Ways, bill.Recorded())
	if os.Getenv("POSTINO_UPDATE") != "" {
		before, rest, _ := strings.Cut(text, "| per million events |")
		_, after, _ := strings.Cut(rest, "\n\n")
		text = before + table + "\n" + after
		if err := os.WriteFile("cost.md", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(text, table) {
		t.Errorf("docs/cost.md does not have the bill that was counted:\n%s", table)
	}
	prices := bill.Prices()
	for _, want := range []string{prices.Region, prices.AsOf} {
		if !strings.Contains(text, want) {
			t.Errorf("docs/cost.md does not say that the prices are those of %s", want)
		}
	}
}

// CloudWatch bills an alarm by the metrics that it looks at.
func TestCostsCountTheAlarmsOfTheTemplate(t *testing.T) {
	template, err := os.ReadFile(root + "/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	alarms := strings.Count(string(template), "Type: AWS::CloudWatch::Alarm")
	sums := strings.Count(string(template), "SUM(METRICS())")
	metrics := alarms - sums + strings.Count(string(template), "MetricStat:")
	row := fmt.Sprintf("| CloudWatch alarms | %d, which look at %d metrics | $0.10 | $%.2f |", alarms, metrics, float64(metrics)*0.10)
	if !strings.Contains(pages(t)["docs/cost.md"], row) {
		t.Errorf("docs/cost.md does not say %s", row)
	}
}

// TestAMonthIsTheSumOfItsLines reckons the month of a million events from what was
// counted, the idle table and AWS's free tiers.
func TestAMonthIsTheSumOfItsLines(t *testing.T) {
	text := pages(t)["docs/cost.md"]
	usage, prices := bill.Recorded()["one at a time"], bill.Prices().Prices
	events, err := usage.Dollars()
	if err != nil {
		t.Fatal(err)
	}
	_, idleRows, _ := strings.Cut(text, "## Idle")
	idleRows, _, _ = strings.Cut(idleRows, "**together**")
	idle := 0.0
	for line := range strings.SplitSeq(idleRows, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 6 || strings.Contains(line, "alarms") || strings.Contains(line, "dashboard") {
			continue
		}
		dollars := 0.0
		if _, err := fmt.Sscanf(strings.TrimSpace(cells[4]), "$%f", &dollars); err == nil {
			idle += dollars
		}
	}
	free, seconds, logs := 1e6*(prices["lambda.request"].Each()+0.40e-6)+0.30, 0.0, 0.0 // SQS without the surcharge for fair queues; the metric of the idle table
	for line, n := range usage {
		switch {
		case strings.HasPrefix(line, "gbs."):
			seconds += n
		case strings.HasPrefix(line, "logs."):
			logs += n
		}
	}
	free += min(seconds, 400_000)*prices["lambda.gbs"].Each() + min(logs, 5)*prices["logs.gb"].Each()
	beside := 0.0
	for _, l := range bill.Beside {
		beside += usage[l.ID] * prices[l.Price].Each()
	}
	for what, dollars := range map[string]float64{
		"| a million events, one at a time | $": events, "| [idle](#idle), without alarms and dashboard | $": idle,
		"| **together** | **$": events + idle, "5 GB of logs | −$": free, "| **what AWS charges then** | **$": events + idle - free,
		"| beside: storage, backup, data out | $": beside,
	} {
		if row := fmt.Sprintf("%s%.2f", what, dollars); !strings.Contains(text, row) {
			t.Errorf("docs/cost.md does not say %q", row)
		}
	}
	if charged := events + idle - free; charged > 12 {
		t.Errorf("a month of a million events costs $%.2f, want at most $12", charged)
	}
}
