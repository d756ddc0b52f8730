// Package bill converts the AWS usage of a run of Postino into dollars: a table
// of prices, the lines of a bill, and an estimate of Lambda's duration.
//
// What is used is counted by the test TestTheBill of infra/test/e2e, which runs the
// built functions and meters every request that they make, and kept in
// usage.json as quantities per million events: POSTINO_UPDATE=1 has that test
// write it, and the test of docs/cost.md its table.
package bill

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Price is what one thing costs.
type Price struct {
	What    string  `json:"what"`
	Dollars float64 `json:"dollars"`
	Per     float64 `json:"per"` // so many of it
	Source  string  `json:"source"`
}

// Each is the price of one.
func (p Price) Each() float64 { return p.Dollars / p.Per }

// PriceList is AWS's, as far as we use it.
type PriceList struct {
	Region string           `json:"region"`
	AsOf   string           `json:"as_of"` // year and month of the published prices
	Note   string           `json:"note"`
	Prices map[string]Price `json:"prices"` // by what is paid for, such as "sqs.request"
}

//go:embed prices.json
var pricesJSON []byte

//go:embed usage.json
var usageJSON []byte

// Prices returns the price list of this repository.
func Prices() PriceList { return must[PriceList](pricesJSON) }

func must[T any](text []byte) (v T) {
	if err := json.Unmarshal(text, &v); err != nil {
		panic("bill: " + err.Error()) // the file is part of the program
	}
	return v
}

// Usage is how much of each line was used, per million events.
type Usage map[string]float64

// Recorded returns the usage that was counted last, by the name of the way of
// publishing.
func Recorded() map[string]Usage { return must[map[string]Usage](usageJSON) }

// Line is one line of a bill.
type Line struct {
	ID    string // names the quantity in a [Usage]
	What  string
	Price string // names the price
}

// Lines are all lines, in the order of a bill.
var Lines = []Line{
	{"api", "API Gateway: publish requests", "api.request"},
	{"logs.access", "API access log, GB", "logs.gb"},
	{"lambda.ingest", "Lambda ingest: invocations", "lambda.request"},
	{"gbs.ingest", "Lambda ingest: GB-seconds", "lambda.gbs"},
	{"sqs.events.send", "SQS events: sent", "sqs.request"},
	{"sqs.events.receive", "SQS events: received", "sqs.request"},
	{"sqs.events.delete", "SQS events: deleted", "sqs.request"},
	{"lambda.fanout", "Lambda fanout: invocations", "lambda.request"},
	{"gbs.fanout", "Lambda fanout: GB-seconds", "lambda.gbs"},
	{"sqs.deliveries.send", "SQS deliveries: sent", "sqs.request"},
	{"sqs.deliveries.receive", "SQS deliveries: received", "sqs.request"},
	{"sqs.deliveries.delete", "SQS deliveries: deleted", "sqs.request"},
	{"lambda.delivery", "Lambda delivery: invocations", "lambda.request"},
	{"gbs.delivery", "Lambda delivery: GB-seconds", "lambda.gbs"},
	{"sqs.other", "SQS retries, resend, exhausted", "sqs.request"},
	{"write.table", "DynamoDB write units: table", "dynamodb.write"},
	{"write.index", "DynamoDB write units: indexes", "dynamodb.write"},
	{"read.table", "DynamoDB read units: table", "dynamodb.read"},
	{"read.index", "DynamoDB read units: indexes", "dynamodb.read"},
	{"kms", "KMS requests", "kms.request"},
	{"secrets", "Secrets Manager requests", "secrets.request"},
	{"logs.functions", "logs and metrics of the functions, GB", "logs.gb"},
}

// Beside are lines that stand beside the bill and are not part of its sum: every
// system that keeps records and calls subscribers has them.
var Beside = []Line{
	{"storage", "DynamoDB storage until retention ends, GB-months", "dynamodb.storage"},
	{"backup", "DynamoDB point-in-time recovery of that, GB-months", "dynamodb.backup"},
	{"out", "data out to subscribers, GB", "transfer.out"},
}

// Dollars is what the usage costs, without what stands beside it. A quantity that
// no line names is an error: it would not be paid for.
func (u Usage) Dollars() (float64, error) {
	left, prices, total := maps.Clone(u), Prices().Prices, 0.0
	for _, l := range Lines {
		total += u[l.ID] * prices[l.Price].Each()
		delete(left, l.ID)
	}
	for _, l := range Beside {
		delete(left, l.ID)
	}
	if len(left) > 0 {
		return 0, fmt.Errorf("no line of the bill names %q", slices.Sorted(maps.Keys(left)))
	}
	return total, nil
}
