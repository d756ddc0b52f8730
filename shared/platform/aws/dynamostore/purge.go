package dynamostore

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// purge removes up to limit of the items that a query finds.
func (s *Store) purge(ctx context.Context, in *dynamodb.QueryInput, limit int) (int, error) {
	in.ProjectionExpression = aws.String("pk, sk")
	items, err := s.query(ctx, "purge", in, limit)
	if err != nil {
		return 0, err
	}
	keys := make([]key, len(items))
	for i, it := range items {
		keys[i] = it.key()
	}
	return len(keys), s.deleteAll(ctx, "purge", keys)
}
