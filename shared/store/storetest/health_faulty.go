package storetest

import (
	"context"

	"github.com/postino/postino/shared/webhook"
)

func (f *faulty) SaveHealth(ctx context.Context, ref webhook.VersionRef, h webhook.Health) error {
	return f.do("SaveHealth", func() error { return f.store.SaveHealth(ctx, ref, h) })
}
