package dynamostore

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/postino/postino/shared/webhook"
)

// Store is the storage of every stage, in one DynamoDB table. It is safe for
// concurrent use, by any number of processes.
type Store struct {
	// Retention is how long a delivery stays after it has ended, at least;
	// [New] sets that of [webhook.DefaultRetention].
	Retention time.Duration
	// PayloadRetention is how long an event's data stays, at least; 0 means as
	// long as the event. If it is less than Retention, data stands in an item
	// of its own: each event then costs one write more.
	PayloadRetention time.Duration

	client *dynamodb.Client
	table  string
	now    func() time.Time // for expiry alone: TTL is a matter of DynamoDB's clock, not of a test's
}

// New returns a store in the table, which must be as [CreateTable] makes it.
// The client wants the options of [Options].
func New(client *dynamodb.Client, table string) *Store {
	return &Store{Retention: webhook.DefaultRetention.All, client: client, table: table, now: time.Now}
}
