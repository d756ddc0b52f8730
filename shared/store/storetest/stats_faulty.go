package storetest

import (
	"context"
	"time"

	"github.com/postino/postino/shared/webhook"
)

func (f *faulty) AddStats(ctx context.Context, s webhook.Stats) error {
	return f.do("AddStats", func() error { return f.store.AddStats(ctx, s) })
}

func (f *faulty) Stats(ctx context.Context, sub webhook.SubscriptionRef, from, before time.Time) (hours []webhook.Stats, err error) {
	err = f.do("Stats", func() (err error) { hours, err = f.store.Stats(ctx, sub, from, before); return err })
	return hours, err
}
