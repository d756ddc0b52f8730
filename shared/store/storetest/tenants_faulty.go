package storetest

import (
	"context"
	"time"

	"github.com/postino/postino/shared/webhook"
)

func (f *faulty) EnsureTenant(ctx context.Context, tenant string) (created bool, err error) {
	err = f.do("EnsureTenant", func() (err error) { created, err = f.store.EnsureTenant(ctx, tenant); return err })
	return created, err
}

func (f *faulty) PageTenants(ctx context.Context, page webhook.Page) (tenants []string, next string, err error) {
	err = f.do("PageTenants", func() (err error) { tenants, next, err = f.store.PageTenants(ctx, page); return err })
	return tenants, next, err
}

func (f *faulty) TenantState(ctx context.Context, tenant string) (state webhook.TenantState, err error) {
	err = f.do("TenantState", func() (err error) { state, err = f.store.TenantState(ctx, tenant); return err })
	return state, err
}

func (f *faulty) BeginDeletion(ctx context.Context, tenant string, now time.Time) error {
	return f.do("BeginDeletion", func() error { return f.store.BeginDeletion(ctx, tenant, now) })
}

func (f *faulty) EndDeletion(ctx context.Context, tenant string, now time.Time) error {
	return f.do("EndDeletion", func() error { return f.store.EndDeletion(ctx, tenant, now) })
}

func (f *faulty) PurgeTenant(ctx context.Context, tenant string, limit int) (removed int, err error) {
	err = f.do("PurgeTenant", func() (err error) { removed, err = f.store.PurgeTenant(ctx, tenant, limit); return err })
	return removed, err
}

func (f *faulty) FindTenant(ctx context.Context, tenant string) error {
	return f.do("FindTenant", func() error { return f.store.FindTenant(ctx, tenant) })
}
