package dynamostore

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// wrappedKeyKey is the place of the one data key, wrapped by KMS.
func wrappedKeyKey() key { return key{"SEALING", "K"} }

// WrappedKey returns the stored data key, consistently, or nil if there is
// none; see awssecret.WrappedKeys.
func (s *Store) WrappedKey(ctx context.Context) ([]byte, error) {
	it, err := s.get(ctx, "wrapped key", wrappedKeyKey())
	if err != nil {
		return nil, err
	}
	if b, ok := it["b"].(*types.AttributeValueMemberB); ok {
		return b.Value, nil
	}
	return nil, nil
}

// PutWrappedKey stores the data key if none is stored; that there is one
// already is no error.
func (s *Store) PutWrappedKey(ctx context.Context, wrapped []byte) error {
	it := at(wrappedKeyKey())
	it["b"] = &types.AttributeValueMemberB{Value: wrapped}
	_, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: it, ConditionExpression: absent})
	if _, there := unmet(err); err == nil || there {
		return nil
	}
	return fault("put wrapped key", err)
}
