package e2e

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// TestACallOutsideOfItsLeadingKeysIsDenied: who takes over sweep, or the function
// that faces the internet, reaches a few partitions of the table and no others.
func TestACallOutsideOfItsLeadingKeysIsDenied(t *testing.T) {
	t.Parallel()
	s := deploy(t, settings{asleep: true, still: true, plant: func(*stack, map[string]*rights) {}}) // denials are wanted here
	key := func(pk string) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: "V"}}
	}
	calls := map[string]func(*dynamodb.Client, string) error{
		"get": func(c *dynamodb.Client, pk string) error {
			_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &s.name, Key: key(pk)})
			return err
		},
		"get many": func(c *dynamodb.Client, pk string) error {
			_, err := c.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{s.name: {Keys: []map[string]types.AttributeValue{key(pk)}}}})
			return err
		},
		"put": func(c *dynamodb.Client, pk string) error {
			_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.name, Item: key(pk)})
			return err
		},
		"delete many": func(c *dynamodb.Client, pk string) error {
			_, err := c.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
				s.name: {{DeleteRequest: &types.DeleteRequest{Key: key("q#2026#1")}}, {DeleteRequest: &types.DeleteRequest{Key: key(pk)}}},
			}})
			return err
		},
		"query": func(c *dynamodb.Client, pk string) error {
			_, err := c.Query(t.Context(), &dynamodb.QueryInput{
				TableName: &s.name, KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: map[string]types.AttributeValue{":p": &types.AttributeValueMemberS{Value: pk}},
			})
			return err
		},
	}
	for _, tt := range []struct {
		function, call, partition string
		allowed                   bool
	}{
		{"Sweep", "query", "q#2026-11-30T12:00#3", true},
		{"Sweep", "query", "s#acme#0", false}, // subscriptions
		{"Sweep", "query", "n#acme", false},   // secrets
		{"Sweep", "get", "SWEEP", true},
		{"Sweep", "get", "SEALING", false}, // the data key
		{"Sweep", "put", "SWEEP", true},
		{"Sweep", "put", "q#2026-11-30T12:00#3", false}, // only stages that delay write these
		{"Sweep", "delete many", "q#2026#2", true},
		{"Sweep", "delete many", "t#acme", false}, // also if others in the batch are right
		{"Ingest", "get", "k#acme", true},
		{"Ingest", "get", "e#acme#1", false}, // events that were published before
		{"Ingest", "query", "n#acme", false},
		{"Ingest", "query", "d#acme#tag#0", false},
		{"Ingest", "put", "k#acme", false}, // it makes no keys
	} {
		client := dynamodb.NewFromConfig(s.config, func(o *dynamodb.Options) {
			o.BaseEndpoint = aws.String(s.iam.server.URL + "/" + tt.function + "/DYNAMODB")
		})
		err := calls[tt.call](client, tt.partition)
		var denied smithy.APIError
		if got := err == nil; got != tt.allowed || !got && (!errors.As(err, &denied) || denied.ErrorCode() != "AccessDeniedException") {
			t.Errorf("%s: %s of %s: %v, want allowed %v", tt.function, tt.call, tt.partition, err, tt.allowed)
		}
	}
}
