package storetest

import (
	"context"

	"github.com/postino/postino/shared/webhook"
)

func (f *faulty) PutKey(ctx context.Context, key webhook.Key) error {
	return f.do("PutKey", func() error { return f.store.PutKey(ctx, key) })
}

func (f *faulty) Key(ctx context.Context, tenant, id string) (key webhook.Key, err error) {
	err = f.do("Key", func() (err error) { key, err = f.store.Key(ctx, tenant, id); return err })
	return key, err
}

func (f *faulty) PageKeys(ctx context.Context, tenant string, page webhook.Page) (keys []webhook.Key, next string, err error) {
	err = f.do("PageKeys", func() (err error) { keys, next, err = f.store.PageKeys(ctx, tenant, page); return err })
	return keys, next, err
}

func (f *faulty) DeleteKey(ctx context.Context, tenant, id string) error {
	return f.do("DeleteKey", func() error { return f.store.DeleteKey(ctx, tenant, id) })
}
