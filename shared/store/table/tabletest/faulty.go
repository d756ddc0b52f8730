package tabletest

import (
	"context"

	"github.com/postino/postino/shared/store/table"
)

// Faulty returns a table whose calls fail as its hooks say, each given the name
// of the method: an error of before is returned instead of the call; an error of
// after is returned although the call was carried out, as when an answer is lost.
// A hook that panics, or ends the goroutine, is a crash at that point. Nil hooks
// let everything pass; hooks may be called concurrently.
func Faulty(t table.Table, before, after func(verb string) error) table.Table {
	pass := func(string) error { return nil }
	if before == nil {
		before = pass
	}
	if after == nil {
		after = pass
	}
	return &faulty{t, before, after}
}

type faulty struct {
	table         table.Table
	before, after func(verb string) error
}

// do makes a call between its hooks.
func (f *faulty) do(verb string, call func() error) error {
	if err := f.before(verb); err != nil {
		return err
	}
	if err := call(); err != nil {
		return err
	}
	return f.after(verb)
}

func (f *faulty) Get(ctx context.Context, keys ...table.Key) (found map[table.Key]table.Item, err error) {
	err = f.do("Get", func() (err error) { found, err = f.table.Get(ctx, keys...); return err })
	return found, err
}

func (f *faulty) Page(ctx context.Context, r table.Range, limit int) (items []table.Item, err error) {
	err = f.do("Page", func() (err error) { items, err = f.table.Page(ctx, r, limit); return err })
	return items, err
}

func (f *faulty) Count(ctx context.Context, r table.Range, limit int) (n int, err error) {
	err = f.do("Count", func() (err error) { n, err = f.table.Count(ctx, r, limit); return err })
	return n, err
}

func (f *faulty) Put(ctx context.Context, item table.Item, how table.How) (old table.Item, replaced bool, err error) {
	err = f.do("Put", func() (err error) { old, replaced, err = f.table.Put(ctx, item, how); return err })
	return old, replaced, err
}

func (f *faulty) Update(ctx context.Context, key table.Key, change table.Change, how table.How) (old table.Item, existed bool, err error) {
	err = f.do("Update", func() (err error) { old, existed, err = f.table.Update(ctx, key, change, how); return err })
	return old, existed, err
}

func (f *faulty) Delete(ctx context.Context, key table.Key) error {
	return f.do("Delete", func() error { return f.table.Delete(ctx, key) })
}

func (f *faulty) DeleteAll(ctx context.Context, keys []table.Key, wait table.Wait) error {
	return f.do("DeleteAll", func() error { return f.table.DeleteAll(ctx, keys, wait) })
}

func (f *faulty) Transact(ctx context.Context, writes []table.Write, wait table.Wait) error {
	return f.do("Transact", func() error { return f.table.Transact(ctx, writes, wait) })
}
