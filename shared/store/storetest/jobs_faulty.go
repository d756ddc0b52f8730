package storetest

import (
	"context"

	"github.com/postino/postino/shared/webhook"
)

func (f *faulty) SaveJob(ctx context.Context, j webhook.Job) error {
	return f.do("SaveJob", func() error { return f.store.SaveJob(ctx, j) })
}

func (f *faulty) Job(ctx context.Context, tenant, id string) (j webhook.Job, err error) {
	err = f.do("Job", func() (err error) { j, err = f.store.Job(ctx, tenant, id); return err })
	return j, err
}

func (f *faulty) PageJobs(ctx context.Context, tenant string, page webhook.Page) (jobs []webhook.Job, next string, err error) {
	err = f.do("PageJobs", func() (err error) { jobs, next, err = f.store.PageJobs(ctx, tenant, page); return err })
	return jobs, next, err
}

func (f *faulty) PurgeSubscription(ctx context.Context, sub webhook.SubscriptionRef, through int64, limit int) (removed int, err error) {
	err = f.do("PurgeSubscription", func() (err error) {
		removed, err = f.store.PurgeSubscription(ctx, sub, through, limit)
		return err
	})
	return removed, err
}
