package storetest

import (
	"context"
	"time"

	"github.com/postino/postino/shared/webhook"
)

func (f *faulty) TriggerState(ctx context.Context, refs []webhook.StateRef) (items []webhook.StateItem, err error) {
	err = f.do("TriggerState", func() (err error) { items, err = f.store.TriggerState(ctx, refs); return err })
	return items, err
}

func (f *faulty) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	return f.do("SaveTriggerState", func() error { return f.store.SaveTriggerState(ctx, items) })
}

func (f *faulty) ListTriggerState(ctx context.Context, ref webhook.StateRef, limit int) (items []webhook.StateItem, err error) {
	err = f.do("ListTriggerState", func() (err error) { items, err = f.store.ListTriggerState(ctx, ref, limit); return err })
	return items, err
}

func (f *faulty) DeleteTriggerState(ctx context.Context, refs []webhook.StateRef) error {
	return f.do("DeleteTriggerState", func() error { return f.store.DeleteTriggerState(ctx, refs) })
}

func (f *faulty) KeepEvent(ctx context.Context, tenant, eventKey string, until time.Time) error {
	return f.do("KeepEvent", func() error { return f.store.KeepEvent(ctx, tenant, eventKey, until) })
}
