package storetest

import (
	"context"
	"time"

	"github.com/postino/postino/shared/webhook"
)

func (f *faulty) SaveHealth(ctx context.Context, ref webhook.VersionRef, h webhook.Health) error {
	return f.do("SaveHealth", func() error { return f.store.SaveHealth(ctx, ref, h) })
}

func (f *faulty) AddTally(ctx context.Context, sub webhook.SubscriptionRef, window time.Time, t webhook.Tally) (sum webhook.Tally, err error) {
	err = f.do("AddTally", func() (err error) { sum, err = f.store.AddTally(ctx, sub, window, t); return err })
	return sum, err
}

func (f *faulty) Reserve(ctx context.Context, sub webhook.SubscriptionRef, now, latest time.Time, length time.Duration) (begin time.Time, taken bool, err error) {
	err = f.do("Reserve", func() (err error) { begin, taken, err = f.store.Reserve(ctx, sub, now, latest, length); return err })
	return begin, taken, err
}
