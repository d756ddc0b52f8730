package storetest

import (
	"context"

	"github.com/postino/postino/shared/webhook"
)

func (f *faulty) PutEventType(ctx context.Context, typ webhook.EventType) (created bool, err error) {
	err = f.do("PutEventType", func() (err error) { created, err = f.store.PutEventType(ctx, typ); return err })
	return created, err
}

func (f *faulty) EventTypes(ctx context.Context, tenant string, types []string) (found map[string]webhook.EventType, err error) {
	err = f.do("EventTypes", func() (err error) { found, err = f.store.EventTypes(ctx, tenant, types); return err })
	return found, err
}

func (f *faulty) PageEventTypes(ctx context.Context, tenant string, page webhook.Page) (types []webhook.EventType, next string, err error) {
	err = f.do("PageEventTypes", func() (err error) { types, next, err = f.store.PageEventTypes(ctx, tenant, page); return err })
	return types, next, err
}

func (f *faulty) DeleteEventType(ctx context.Context, tenant, typ string) error {
	return f.do("DeleteEventType", func() error { return f.store.DeleteEventType(ctx, tenant, typ) })
}
