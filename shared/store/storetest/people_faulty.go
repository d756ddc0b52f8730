package storetest

import "context"

func (f *faulty) PeopleChanged(ctx context.Context, tenant string) error {
	return f.do("PeopleChanged", func() error { return f.store.PeopleChanged(ctx, tenant) })
}
