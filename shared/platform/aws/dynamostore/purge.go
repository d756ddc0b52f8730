package dynamostore

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/postino/postino/shared/store/record"
	"github.com/postino/postino/shared/webhook"
)

// PurgeSubscription removes up to limit items that a deleted life of a
// subscription left behind: trigger state and versions of epochs and numbers
// not above through, and, unless another life has begun, what is known of how
// its subscriber fared. It returns how many it removed, 0 at the end.
func (s *Store) PurgeSubscription(ctx context.Context, sub webhook.SubscriptionRef, through int64, limit int) (removed int, err error) {
	last := ordinal(through) + "#~"
	for _, pk := range record.StatePartitions(sub) {
		n, err := s.purge(ctx, s.rangeQuery(pk, ordinal(0), last), limit-removed)
		if removed += n; err != nil || removed >= limit {
			return removed, err
		}
	}
	versions := versionKey(sub.Tenant, sub.ID, through)
	n, err := s.purge(ctx, s.rangeQuery(versions.pk, "V#", versions.sk), limit-removed)
	if removed += n; err != nil || removed >= limit {
		return removed, err
	}
	head, err := s.get(ctx, "purge", headKey(sub.Tenant, sub.ID))
	if err != nil || head != nil {
		return removed, err
	}
	n, err = s.PurgeHealth(ctx, sub, limit-removed)
	return removed + n, err
}

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
