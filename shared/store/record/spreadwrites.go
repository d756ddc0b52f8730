package record

import (
	"context"
	"errors"

	"github.com/postino/postino/shared/store/table"
)

// Put stores an item.
func (s spread) Put(ctx context.Context, item table.Item, how table.How) (old table.Item, replaced bool, err error) {
	old, replaced, err = s.table.Put(ctx, s.placed(item), how)
	return s.seen(old), replaced, err
}

// PutAll stores items in few calls, where the table has that.
func (s spread) PutAll(ctx context.Context, items []table.Item) error {
	placed := make([]table.Item, len(items))
	for i, it := range items {
		placed[i] = s.placed(it)
	}
	return table.PutAll(ctx, s.table, placed)
}

// Update changes an item.
func (s spread) Update(ctx context.Context, key table.Key, change table.Change, how table.How) (old table.Item, existed bool, err error) {
	old, existed, err = s.table.Update(ctx, s.place(0, key), change, how)
	return s.seen(old), existed, err
}

// Delete removes an item.
func (s spread) Delete(ctx context.Context, key table.Key) error {
	return s.table.Delete(ctx, s.place(0, key))
}

// DeleteAll removes items.
func (s spread) DeleteAll(ctx context.Context, keys []table.Key, wait table.Wait) error {
	places := make([]table.Key, len(keys))
	for i, k := range keys {
		places[i] = s.place(0, k)
	}
	return s.table.DeleteAll(ctx, places, wait)
}

// Transact carries out all writes or none.
func (s spread) Transact(ctx context.Context, writes []table.Write, wait table.Wait) error {
	placed := make([]table.Write, len(writes))
	for i, w := range writes {
		placed[i] = w
		placed[i].Item = s.placed(w.Item)
	}
	err := s.table.Transact(ctx, placed, wait)
	var refusal *table.Refusal
	if errors.As(err, &refusal) {
		for i, it := range refusal.Refused {
			refusal.Refused[i] = s.seen(it)
		}
	}
	return err
}

// purge removes up to limit items of ranges, and returns how many it removed: 0 at
// the end. It takes the shards of a range one after the other, since their order
// does not matter.
func purge(ctx context.Context, t table.Table, limit int, ranges ...table.Range) (int, error) {
	s, spreads := t.(spread)
	if !spreads {
		return table.Purge(ctx, t, limit, ranges...)
	}
	var placed []table.Range
	for _, r := range ranges {
		of, err := s.ranges(r)
		if err != nil {
			return 0, err
		}
		placed = append(placed, of...)
	}
	return table.Purge(ctx, s.table, limit, placed...)
}
