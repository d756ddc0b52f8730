package bill

import (
	"fmt"
	"math"
)

// Entry is one line of what a month costs.
type Entry struct {
	What    string
	Dollars float64 // negative if it is saved
}

// The circumstances of a month that spreads a million events evenly, in the
// profile trial of docs/deploy.md.
const (
	month       = 730 * 3600.0 // seconds
	smallMemory = 256          // MB
	eventsEach  = 1e6
	subscribers = 3.0
	spared      = 30.0 // seconds between two writes of statistics by a container at low rates
	pollers     = 5.0  // of a queue, which Lambda begins with
	longPoll    = 20.0 // seconds of a poll that finds nothing
	queues      = 2.0  // which the messages go through
	pollPrice   = 0.40e-6
)

// Month are the lines of a month in which a million events are published one at a
// time, beside what a stack without traffic costs.
func Month() []Entry {
	usage, prices := Recorded()["one at a time"], Prices().Prices
	events, err := usage.Dollars()
	if err != nil {
		panic(err) // TestEveryWayOfPublishingIsRecorded
	}
	return []Entry{
		{"a million events, one at a time", events},
		{fmt.Sprintf("functions with %d MB instead of 512 (`Memory`)", smallMemory), (usage.seconds(smallMemory) - usage.seconds(512)) * prices["lambda.gbs"].Each()},
		{"no access log and no metrics (`AccessLog` and `Metrics` off)", -(usage["logs.access"] + usage["logs.functions"]) * prices["logs.gb"].Each()},
		{"statistics: a row for each subscription and one for the tenant, each 30 s", month / spared * (subscribers + 1) * prices["dynamodb.write"].Each()},
		{"empty long polls of `events` and `deliveries` that messages end", -queues * (pollers*month/longPoll - emptyPolls()) * pollPrice},
	}
}

// SmallSeconds are the GB-seconds of the month.
func (u Usage) SmallSeconds() float64 { return u.seconds(smallMemory) }

// seconds are the GB-seconds of the three functions with so much memory.
func (u Usage) seconds(memory float64) float64 {
	return GBSeconds("ingest", memory, u["lambda.ingest"], eventsEach) + GBSeconds("fanout", memory, u["lambda.fanout"], eventsEach) +
		GBSeconds("delivery", memory, u["lambda.delivery"], subscribers*eventsEach)
}

// emptyPolls is how many polls of a queue find nothing in the month, if SQS gives
// each message to any of the pollers that wait: their times between two messages
// are then distributed exponentially.
func emptyPolls() float64 {
	between := pollers * month / eventsEach
	empty := math.Exp(-longPoll / between)
	polls := pollers * month / (between * (1 - empty)) // a poll takes between × (1 − empty) seconds
	return polls * empty
}
