package dynamostore_test

import (
	"cmp"
	"context"
	"maps"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
)

// units are capacity units by what they were spent on: "read" or "write", of
// the "table" or an index.
type units map[string]float64

// meter adds up what DynamoDB says that its client's calls consumed.
type meter struct {
	mu    sync.Mutex
	spent units
	calls int
}

// options makes a client ask for, and the meter note, what each call consumes.
func (m *meter) options(o *dynamodb.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("meter", m.measure), middleware.Before)
	})
}

func (m *meter) measure(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	kind := askForCapacity(in.Parameters)
	out, metadata, err := next.HandleInitialize(ctx, in)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if in, ok := in.Parameters.(*dynamodb.TransactWriteItemsInput); ok {
		m.spent["write table"] += 2 * float64(len(in.TransactItems)) // DynamoDB Local does not bill them as DynamoDB does
		return out, metadata, err
	}
	for _, c := range capacities(out.Result) {
		m.add(kind+" table", c.Table)
		for name, index := range c.GlobalSecondaryIndexes {
			m.add(kind+" "+name, &index)
		}
	}
	switch in := in.Parameters.(type) {
	case *dynamodb.QueryInput:
		m.addEmpty(in, out.Result)
	case *dynamodb.BatchGetItemInput:
		m.addAbsent(in, out.Result)
	}
	return out, metadata, err
}

// addEmpty adds what DynamoDB bills for a query that finds nothing, and
// DynamoDB Local does not.
func (m *meter) addEmpty(in *dynamodb.QueryInput, out any) {
	if out, ok := out.(*dynamodb.QueryOutput); !ok || out.Count > 0 {
		return
	}
	source := cmp.Or(aws.ToString(in.IndexName), "table")
	m.spent["read "+source] += 0.5
	if aws.ToBool(in.ConsistentRead) {
		m.spent["read "+source] += 0.5
	}
}

// addAbsent adds what DynamoDB bills for items of a batch that do not exist, and
// DynamoDB Local does not.
func (m *meter) addAbsent(in *dynamodb.BatchGetItemInput, out any) {
	got, ok := out.(*dynamodb.BatchGetItemOutput)
	if !ok {
		return
	}
	for table, asked := range in.RequestItems {
		absent := len(asked.Keys) - len(got.Responses[table]) - len(got.UnprocessedKeys[table].Keys)
		m.add("read table", &types.Capacity{CapacityUnits: aws.Float64(float64(absent) * map[bool]float64{true: 1, false: 0.5}[aws.ToBool(asked.ConsistentRead)])})
	}
}

func (m *meter) add(name string, c *types.Capacity) {
	if c != nil && aws.ToFloat64(c.CapacityUnits) > 0 {
		m.spent[name] += *c.CapacityUnits
	}
}

// take returns what was spent since the last time, and in how many calls.
func (m *meter) take() (units, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	spent, calls := maps.Clone(m.spent), m.calls
	m.spent, m.calls = units{}, 0
	return spent, calls
}

// askForCapacity returns whether the call reads or writes.
func askForCapacity(in any) (kind string) {
	const all = types.ReturnConsumedCapacityIndexes
	switch in := in.(type) {
	case *dynamodb.GetItemInput:
		in.ReturnConsumedCapacity = all
	case *dynamodb.BatchGetItemInput:
		in.ReturnConsumedCapacity = all
	case *dynamodb.QueryInput:
		in.ReturnConsumedCapacity = all
	case *dynamodb.PutItemInput:
		in.ReturnConsumedCapacity, kind = all, "write"
	case *dynamodb.UpdateItemInput:
		in.ReturnConsumedCapacity, kind = all, "write"
	case *dynamodb.BatchWriteItemInput:
		in.ReturnConsumedCapacity, kind = all, "write"
	}
	if kind == "" {
		return "read"
	}
	return kind
}

func capacities(out any) []types.ConsumedCapacity {
	one := func(c *types.ConsumedCapacity) []types.ConsumedCapacity {
		if c == nil {
			return nil
		}
		return []types.ConsumedCapacity{*c}
	}
	switch out := out.(type) {
	case *dynamodb.GetItemOutput:
		return one(out.ConsumedCapacity)
	case *dynamodb.BatchGetItemOutput:
		return out.ConsumedCapacity
	case *dynamodb.QueryOutput:
		return one(out.ConsumedCapacity)
	case *dynamodb.PutItemOutput:
		return one(out.ConsumedCapacity)
	case *dynamodb.UpdateItemOutput:
		return one(out.ConsumedCapacity)
	case *dynamodb.BatchWriteItemOutput:
		return out.ConsumedCapacity
	}
	return nil
}
