package dynamostore

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/store/record"
)

// The names of the indexes and of their key attributes.
const (
	index1 = "GSI1"
	index2 = "GSI2"
)

// listed are the attributes that GSI1 holds beside keys: those of an event that a
// list shows, and its plan, but not the data.
func listed() (names []string) {
	for name, v := range record.Listed {
		names = append(names, attributeName(name, v))
	}
	slices.Sort(names)
	return names
}

// spare are attributes that no item has yet. An index holds them, so that what it
// holds can grow: DynamoDB cannot add an attribute to an index that exists.
var spare = []string{"p1", "p2", "p3", "p4"}

// CreateTable makes an empty table for tests, as template.yaml does for the
// cloud, and waits until it can be used.
func CreateTable(ctx context.Context, client *dynamodb.Client, name string) error {
	if _, err := client.CreateTable(ctx, definition(name)); err != nil {
		return fault("create table", err)
	}
	active := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, 100*time.Millisecond
	})
	return active.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, time.Minute)
}

func definition(name string) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			text("pk"), text("sk"), text("gsi1pk"), text("gsi1sk"), text("gsi2pk"), text("gsi2sk"),
		},
		KeySchema: keySchema("pk", "sk"),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			index(index1, "gsi1", types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: slices.Concat(listed(), spare)}),
			index(index2, "gsi2", types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: spare}),
		},
	}
}

func text(attribute string) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: aws.String(attribute), AttributeType: types.ScalarAttributeTypeS}
}

func keySchema(pk, sk string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: aws.String(pk), KeyType: types.KeyTypeHash},
		{AttributeName: aws.String(sk), KeyType: types.KeyTypeRange},
	}
}

func index(name, prefix string, projection types.Projection) types.GlobalSecondaryIndex {
	return types.GlobalSecondaryIndex{
		IndexName:  aws.String(name),
		KeySchema:  keySchema(prefix+"pk", prefix+"sk"),
		Projection: &projection,
	}
}
