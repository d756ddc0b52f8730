package docs

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/postino/postino/infra/bill"
	"github.com/postino/postino/shared/webhook"
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
// counted, the idle table and AWS's free tiers. It is to cost $12 at list prices.
func TestAMonthIsTheSumOfItsLines(t *testing.T) {
	text := pages(t)["docs/cost.md"]
	idle := withoutTelemetry(text)
	table, together := fmt.Sprintf("| [idle](#idle), without alarms, dashboard and metrics | $%.2f |\n", idle), idle
	for _, e := range bill.Month() {
		table += fmt.Sprintf("| %s | %s |\n", e.What, dollars(e.Dollars))
		together += e.Dollars
	}
	free := freeTiers()
	table += fmt.Sprintf("| **together** | **%s** |\n", dollars(together))
	table += fmt.Sprintf("| less AWS's free tiers that do not end: a million requests and 400,000 GB-seconds of Lambda, a million requests to SQS | %s |\n", dollars(-free))
	table += fmt.Sprintf("| **what AWS charges then** | **%s** |\n| beside: storage, backup, data out | %s |\n", dollars(together-free), dollars(beside()))
	if !strings.Contains(text, table) {
		t.Errorf("docs/cost.md does not have this month:\n%s", table)
	}
	if row := fmt.Sprintf("it is $%.2f", idle); !strings.Contains(text, row) {
		t.Errorf("docs/cost.md does not say of an idle stack that %s", row)
	}
	if together > 12 {
		t.Errorf("a month of a million events costs $%.2f at list prices, want at most $12", together)
	}
}

// withoutTelemetry adds up the idle table without alarms, dashboard and metrics.
func withoutTelemetry(text string) (sum float64) {
	_, rows, _ := strings.Cut(text, "## Idle")
	rows, _, _ = strings.Cut(rows, "**together**")
	for line := range strings.SplitSeq(rows, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 6 || strings.Contains(line, "| CloudWatch ") {
			continue
		}
		cost := 0.0
		if _, err := fmt.Sscanf(strings.TrimSpace(cells[4]), "$%f", &cost); err == nil {
			sum += cost
		}
	}
	return sum
}

// dollars is an amount as the page writes it.
func dollars(n float64) string {
	if n < 0 {
		return fmt.Sprintf("−$%.2f", -n)
	}
	return fmt.Sprintf("$%.2f", n)
}

// freeTiers is what the month uses of them; SQS without the surcharge for fair
// queues.
func freeTiers() float64 {
	usage, prices := bill.Recorded()["one at a time"], bill.Prices().Prices
	return 1e6*(prices["lambda.request"].Each()+0.40e-6) + min(usage.SmallSeconds(), 400_000)*prices["lambda.gbs"].Each()
}

func beside() (sum float64) {
	usage, prices := bill.Recorded()["one at a time"], bill.Prices().Prices
	for _, l := range bill.Beside {
		sum += usage[l.ID] * prices[l.Price].Each()
	}
	return sum
}

// What sweep reads is reckoned from the number of shards.
func TestCostsCountTheShardsOfSweep(t *testing.T) {
	const each, first = 2*webhook.DueShards + 1, 24*webhook.DueShards + 1
	text := pages(t)["docs/cost.md"]
	for _, want := range []string{fmt.Sprintf("| %d units × 43,800", each), fmt.Sprintf("which is %d units", first)} {
		if !strings.Contains(text, want) {
			t.Errorf("docs/cost.md does not say %q", want)
		}
	}
}
