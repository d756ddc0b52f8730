package dynamostore

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
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
