package dynamostore

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	getAtOnce = 100 // the most keys of one BatchGetItem
	idleTries = 8   // calls in a row that get nothing done before we say busy
)

// get reads one item, consistently; nil if there is none.
func (s *Store) get(ctx context.Context, op string, k key) (item, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.table, Key: at(k), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, readFault(op, err)
	}
	return out.Item, nil
}

// getAll reads items by key, each once however often it is asked for. Those
// that do not exist are absent from the result.
func (s *Store) getAll(ctx context.Context, op string, keys []key, consistent bool) (map[key]item, error) {
	found := make(map[key]item, len(keys))
	for wanted := distinct(keys); len(wanted) > 0; {
		n := min(len(wanted), getAtOnce)
		if err := s.getBatch(ctx, op, wanted[:n], consistent, found); err != nil {
			return nil, err
		}
		wanted = wanted[n:]
	}
	return found, nil
}

// getBatch repeats what DynamoDB leaves undone: more than fits into an answer
// of 16 MB, or than the table's capacity gives.
func (s *Store) getBatch(ctx context.Context, op string, keys []key, consistent bool, found map[key]item) error {
	left := types.KeysAndAttributes{ConsistentRead: &consistent}
	for _, k := range keys {
		left.Keys = append(left.Keys, at(k))
	}
	for try := 0; len(left.Keys) > 0; try++ {
		if err := pause(ctx, try); err != nil {
			return fault(op, err)
		}
		out, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{s.table: left},
		})
		if err != nil {
			return readFault(op, err)
		}
		for _, it := range out.Responses[s.table] {
			found[item(it).key()] = it
			try = -1 // it moves: no pause
		}
		left.Keys = out.UnprocessedKeys[s.table].Keys
		if try == idleTries {
			return coded(op, "ThrottlingException")
		}
	}
	return nil
}

func distinct(keys []key) []key {
	seen, out := make(map[key]bool, len(keys)), make([]key, 0, len(keys))
	for _, k := range keys {
		if !seen[k] {
			seen[k], out = true, append(out, k)
		}
	}
	return out
}

// pause waits before a repeat: not before the first try, then a random time
// that doubles up to half a second.
func pause(ctx context.Context, try int) error {
	if try <= 0 {
		return ctx.Err()
	}
	longest := min(10*time.Millisecond<<min(try, 10), 500*time.Millisecond)
	timer := time.NewTimer(rand.N(longest))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
