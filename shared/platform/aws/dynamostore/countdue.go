package dynamostore

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/webhook"
)

const (
	// minutesCounted bounds what one count looks at. The mark lies 20 minutes
	// behind when all is well.
	minutesCounted = 128
	countsAtOnce   = 32
)

// CountDue counts the due pointers up to a time that wait to be swept, at
// most limit. It looks at the first two hours after the low-water mark, or,
// before the first sweep, at the last two before through.
func (s *Store) CountDue(ctx context.Context, through time.Time, limit int) (int, error) {
	from, err := s.LowWater(ctx)
	if err != nil {
		return 0, err
	}
	if from.IsZero() {
		from = through.Add(-(minutesCounted - 1) * time.Minute)
	}
	var count atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(countsAtOnce)
	minute := from.UTC().Truncate(time.Minute)
	for range minutesCounted {
		for _, pk := range shardPKs(webhook.DueShards, func(shard string) string { return duesPK(minute, shard) }) {
			if minute.After(through) || count.Load() >= int64(limit) {
				break
			}
			group.Go(func() error { return s.countPartition(ctx, pk, through, limit, &count) })
		}
		minute = minute.Add(time.Minute)
	}
	err = group.Wait()
	return min(int(count.Load()), limit), err
}

// countPartition adds the pointers of one partition up to through, until the
// count reaches the limit.
func (s *Store) countPartition(ctx context.Context, pk string, through time.Time, limit int, count *atomic.Int64) error {
	in := s.rangeQuery(pk, "0", ordinal(nanos(through))+"~")
	in.Select, in.ConsistentRead, in.Limit = types.SelectCount, aws.Bool(false), aws.Int32(int32(limit))
	for count.Load() < int64(limit) {
		out, err := s.client.Query(ctx, in)
		if err != nil {
			return readFault("count due", err)
		}
		count.Add(int64(out.Count))
		if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
			break
		}
	}
	return nil
}
