package bill

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestEveryLineHasAPriceWithItsSource(t *testing.T) {
	prices := Prices()
	used := map[string]bool{}
	for _, l := range slices.Concat(Lines, Beside) {
		used[l.Price] = true
	}
	if want, got := slices.Sorted(maps.Keys(used)), slices.Sorted(maps.Keys(prices.Prices)); !slices.Equal(got, want) {
		t.Errorf("prices of %v, want of %v", got, want)
	}
	for name, p := range prices.Prices {
		if p.Dollars <= 0 || p.Per < 1 || p.What == "" || !strings.HasPrefix(p.Source, "https://") {
			t.Errorf("%s has the price %+v", name, p)
		}
	}
}

func TestABillIsQuantitiesTimesPrices(t *testing.T) {
	dollars, err := Usage{"api": 1e6, "write.table": 4e6, "logs.access": 2, "storage": 7}.Dollars()
	if want := 1.00 + 4*0.625 + 2*0.50; err != nil || math.Abs(dollars-want) > 1e-9 {
		t.Errorf("%v dollars, %v, want %v", dollars, err, want)
	}
	if _, err := (Usage{"sqs.unheard.of": 1}).Dollars(); err == nil {
		t.Error("a quantity without a line costs nothing")
	}
}

func TestEveryWayOfPublishingIsRecorded(t *testing.T) {
	recorded := Recorded()
	if got, want := slices.Sorted(maps.Keys(recorded)), slices.Sorted(slices.Values(Ways)); !slices.Equal(got, want) {
		t.Errorf("recorded %v, want %v", got, want)
	}
	for way, bound := range map[string]float64{"arrays of 25": 2, "single": 4} {
		if dollars, err := recorded[way].Dollars(); err != nil || dollars > bound {
			t.Errorf("%s cost %.2f dollars, %v, want at most %.2f", way, dollars, err, bound)
		}
	}
}

func TestDurationIsWaitingAndAPartOfAProcessor(t *testing.T) {
	d := Durations["delivery"]
	got := GBSeconds("delivery", 1769/2.0, 1, 10) // half a processor
	want := (d.WaitMS + 2*(d.InvokeCPU+10*d.MessageCPU)) / 1000 * 1769 / 2 / 1024
	if math.Abs(got-want) > 1e-9 {
		t.Errorf("%v GB-seconds, want %v", got, want)
	}
}
