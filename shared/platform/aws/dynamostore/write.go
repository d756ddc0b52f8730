package dynamostore

import (
	"context"
	"encoding/binary"
	"math/rand/v2"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// writeAtOnce is the most writes of one BatchWriteItem.
const writeAtOnce = 25

// put stores an item whatever was there.
func (s *Store) put(ctx context.Context, op string, it item) error {
	_, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: it})
	if err != nil {
		return fault(op, err)
	}
	return nil
}

// deleteAll removes items; one that is not there is no error.
func (s *Store) deleteAll(ctx context.Context, op string, keys []key) error {
	var writes []types.WriteRequest
	for _, k := range distinct(keys) {
		writes = append(writes, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: at(k)}})
	}
	return s.writeAll(ctx, op, writes)
}

// putAll stores items under distinct keys, whatever was there.
func (s *Store) putAll(ctx context.Context, op string, items []item) error {
	var writes []types.WriteRequest
	for _, it := range items {
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: it}})
	}
	return s.writeAll(ctx, op, writes)
}

func (s *Store) writeAll(ctx context.Context, op string, writes []types.WriteRequest) error {
	for len(writes) > 0 {
		n := min(len(writes), writeAtOnce)
		if err := s.writeBatch(ctx, op, writes[:n]); err != nil {
			return err
		}
		writes = writes[n:]
	}
	return nil
}

// writeBatch repeats what DynamoDB leaves undone for lack of capacity.
func (s *Store) writeBatch(ctx context.Context, op string, left []types.WriteRequest) error {
	for try := 0; len(left) > 0; try++ {
		if try == idleTries {
			return coded(op, "ThrottlingException")
		}
		if err := pause(ctx, try); err != nil {
			return fault(op, err)
		}
		out, err := s.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{s.table: left},
		})
		if err != nil {
			return fault(op, err)
		}
		rest := out.UnprocessedItems[s.table]
		if len(rest) < len(left) {
			try = -1 // it moves: no pause
		}
		left = rest
	}
	return nil
}

// mark is unlike that of any other call. The SDK repeats a write whose answer
// got lost; if the repeat's condition fails on an item with our mark, it was
// we who wrote it.
func mark() types.AttributeValue {
	return &types.AttributeValueMemberB{Value: binary.BigEndian.AppendUint64(nil, rand.Uint64())}
}

// marked reports whether the stored item came from the call with that mark.
func (it item) marked(mark types.AttributeValue) bool {
	stored, ok := it["k"].(*types.AttributeValueMemberB)
	return ok && string(stored.Value) == string(mark.(*types.AttributeValueMemberB).Value)
}
