package storetest

import (
	"context"

	"github.com/postino/postino/shared/webhook"
)

func (f *faulty) PurgeSubscription(ctx context.Context, sub webhook.SubscriptionRef, through int64, limit int) (removed int, err error) {
	err = f.do("PurgeSubscription", func() (err error) {
		removed, err = f.store.PurgeSubscription(ctx, sub, through, limit)
		return err
	})
	return removed, err
}
