package dynamostore

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// query reads up to limit items, however many answers of DynamoDB that takes.
func (s *Store) query(ctx context.Context, op string, in *dynamodb.QueryInput, limit int) ([]item, error) {
	var items []item
	for len(items) < limit {
		in.Limit = aws.Int32(int32(limit - len(items)))
		out, err := s.client.Query(ctx, in)
		if err != nil {
			return nil, readFault(op, err)
		}
		for _, it := range out.Items {
			items = append(items, it)
		}
		if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
			break
		}
	}
	return items, nil
}

// prefixQuery asks, consistently, for the items of a partition whose sort
// keys begin with the prefix.
func (s *Store) prefixQuery(pk, prefix string) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName:                 &s.table,
		KeyConditionExpression:    aws.String("pk = :p AND begins_with(sk, :f)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":p": str(pk), ":f": str(prefix)},
		ConsistentRead:            aws.Bool(true),
	}
}

// rangeQuery asks, consistently, for the items of a partition whose sort keys
// lie within lo and hi, both included.
func (s *Store) rangeQuery(pk, lo, hi string) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName:                 &s.table,
		KeyConditionExpression:    aws.String("pk = :p AND sk BETWEEN :lo AND :hi"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":p": str(pk), ":lo": str(lo), ":hi": str(hi)},
		ConsistentRead:            aws.Bool(true),
	}
}
