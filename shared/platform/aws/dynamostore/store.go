package dynamostore

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/postino/postino/shared/store/record"
)

// Store is the storage of every stage, in one DynamoDB table. It is safe for
// concurrent use, by any number of processes.
type Store struct {
	// Store keeps the records and nouns, and says how. Its Retention is also how long a
	// delivery stays after it has ended, at least; [New] sets that of
	// [webhook.DefaultRetention].
	*record.Store

	client *dynamodb.Client
	table  string
}

// New returns a store in the table, which must be as [CreateTable] makes it.
// The client wants the options of [Options].
func New(client *dynamodb.Client, table string) *Store {
	s := &Store{client: client, table: table}
	s.Store = record.Spread(itemTable{s})
	return s
}
