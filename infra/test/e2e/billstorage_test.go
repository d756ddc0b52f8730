package e2e

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// perEntry is what DynamoDB adds to an item, and to each of its entries in an
// index, when it bills storage.
const perEntry = 100

// stored is what the table holds alone and with its indexes, in GB-months until
// each item expires. What does not expire is there whatever is published.
func (r *run) stored() (table, all float64) {
	on := r.stack()
	described, err := on.dynamo.DescribeTable(r.t.Context(), &dynamodb.DescribeTableInput{TableName: &on.name})
	if err != nil {
		r.t.Fatal(err)
	}
	pages := dynamodb.NewScanPaginator(on.dynamo, &dynamodb.ScanInput{TableName: &on.name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		for _, item := range page.Items {
			months := monthsLeft(item)
			table += months * float64(storedSize(item, nil)) / 1e9
			all += months * float64(storedSize(item, nil)) / 1e9
			for _, index := range described.Table.GlobalSecondaryIndexes {
				all += months * float64(entryOf(item, index)) / 1e9
			}
		}
	}
	return table, all
}

// monthsLeft is how long an item has left, in months of 730 hours; 0 if it does
// not expire.
func monthsLeft(item map[string]types.AttributeValue) float64 {
	n, ok := item["expires"].(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	seconds, _ := strconv.ParseInt(n.Value, 10, 64) // as we wrote it
	return time.Until(time.Unix(seconds, 0)).Hours() / 730
}

// entryOf is the size of an item's entry in an index; 0 if it has none.
func entryOf(item map[string]types.AttributeValue, index types.GlobalSecondaryIndexDescription) int {
	projected := map[string]bool{"pk": true, "sk": true}
	for _, k := range index.KeySchema {
		if item[aws.ToString(k.AttributeName)] == nil {
			return 0
		}
		projected[aws.ToString(k.AttributeName)] = true
	}
	for _, name := range index.Projection.NonKeyAttributes {
		projected[name] = true
	}
	return storedSize(item, projected)
}

// storedSize is what DynamoDB bills for storing attributes of an item: those that are
// projected, all if that is nil.
func storedSize(item map[string]types.AttributeValue, projected map[string]bool) int {
	size := perEntry
	for name, value := range item {
		if projected != nil && !projected[name] {
			continue
		}
		size += len(name)
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			size += len(v.Value)
		case *types.AttributeValueMemberB:
			size += len(v.Value)
		case *types.AttributeValueMemberN:
			size += len(v.Value)/2 + 2
		default:
			size++
		}
	}
	return size
}

// sent is the bytes of a callback as HTTP/1.1 has them, before TLS.
func (c callback) sent() int {
	size := len("POST  HTTP/1.1\r\n\r\n") + len(c.target) + len(c.body)
	for name, values := range c.headers {
		for _, v := range values {
			size += len(name) + len(": \r\n") + len(v)
		}
	}
	return size
}
