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
