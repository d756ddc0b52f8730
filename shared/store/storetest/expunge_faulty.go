package storetest

import (
	"context"

	"github.com/postino/postino/shared/webhook"
)

func (f *faulty) ExpungeEvent(ctx context.Context, tenant, source, id string) error {
	return f.do("ExpungeEvent", func() error { return f.store.ExpungeEvent(ctx, tenant, source, id) })
}

func (f *faulty) ExpungeParts(ctx context.Context, tenant, delivery string) error {
	return f.do("ExpungeParts", func() error { return f.store.ExpungeParts(ctx, tenant, delivery) })
}

func (f *faulty) Occasions(ctx context.Context, tenant, source, id, position string, limit int) (ds []webhook.Delivery, next string, err error) {
	err = f.do("Occasions", func() (err error) {
		ds, next, err = f.store.Occasions(ctx, tenant, source, id, position, limit)
		return err
	})
	return ds, next, err
}
