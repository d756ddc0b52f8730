// Package localtable is the table of local mode: items in the engine.
//
// Keys of the engine begin with a letter for what they are, and have the byte
// 0xff, which no UTF-8 has, behind the partition:
//
//	t partition ff sort            → the item
//	1 partition ff sort            → the item's key, of index 1; 2 of index 2
//	x expiry (8 bytes) item's key  → nothing: what expires, in order of time
//
// An item, its places in the indexes and its expiry are written together.
// Conditions are tried by the engine's one writer, so nothing comes between a
// condition and its write.
package localtable

import (
	"bytes"
	"context"
	"fmt"

	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/store/table"
)

// Table is a [table.Table] in an engine. A page of an index has the items' keys
// alone.
type Table struct{ db *engine.DB }

// In returns the table in db.
func In(db *engine.DB) *Table { return &Table{db} }

// durabilities are what the engine calls what a write waits for.
var durabilities = map[table.Wait]engine.Durability{
	table.ForDisk: engine.Durable, table.ForCommit: engine.Ordered, table.ForOthers: engine.Background,
}

func (t *Table) write(ctx context.Context, wait table.Wait, fn func(tx items) error) error {
	return t.db.Write(ctx, durabilities[wait], func(tx *engine.Tx) error { return fn(items{tx}) })
}

// Get reads the items one by one.
func (t *Table) Get(_ context.Context, keys ...table.Key) (map[table.Key]table.Item, error) {
	found := make(map[table.Key]table.Item, len(keys))
	for _, k := range keys {
		if _, again := found[k]; again {
			continue
		}
		value, err := t.db.Get(itemKey(k))
		if err != nil {
			return nil, err
		}
		if value == nil {
			continue
		}
		if found[k], err = decode(k, value); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Page reads a range of the table or of an index.
func (t *Table) Page(_ context.Context, r table.Range, limit int) (page []table.Item, err error) {
	if limit <= 0 {
		return nil, nil
	}
	span, ok := spanOf(r)
	if !ok {
		return nil, nil
	}
	skip := len(r.Partition) + 2
	err = t.db.Scan(span, func(key, value []byte) (bool, error) {
		item, err := t.read(r, string(key[skip:]), value)
		page = append(page, item)
		return len(page) < limit, err
	})
	return page, err
}

// read reads an item of a page, or what an index has of it.
func (t *Table) read(r table.Range, sort string, value []byte) (table.Item, error) {
	if r.Index == 0 {
		return decode(table.Key{Partition: r.Partition, Sort: sort}, value)
	}
	key, err := readKey(value)
	item := table.Item{Key: key}
	item.Index[r.Index-1] = table.Key{Partition: r.Partition, Sort: sort}
	return item, err
}

// Count counts the keys of a range.
func (t *Table) Count(_ context.Context, r table.Range, limit int) (n int, err error) {
	span, ok := spanOf(r)
	if !ok || limit <= 0 {
		return 0, nil
	}
	err = t.db.Scan(span, func(_, _ []byte) (bool, error) { n++; return n < limit, nil })
	return n, err
}

// Put looks at what is there in the same write.
func (t *Table) Put(ctx context.Context, item table.Item, how table.How) (old table.Item, replaced bool, err error) {
	value := encode(item)
	err = t.write(ctx, how.Wait, func(tx items) (err error) {
		if how.New == nil || !how.New() {
			if old, replaced, err = tx.get(item.Key); err != nil {
				return err
			}
		}
		if !how.If.Holds(old, replaced) {
			replaced = false
			return table.ErrRefused
		}
		tx.replace(old, item, value)
		return nil
	})
	return old, replaced, err
}

// Update reads, changes and writes in one write.
func (t *Table) Update(ctx context.Context, key table.Key, change table.Change, how table.How) (old table.Item, existed bool, err error) {
	err = t.write(ctx, how.Wait, func(tx items) (err error) {
		if old, existed, err = tx.get(key); err != nil {
			return err
		}
		if !how.If.Holds(old, existed) {
			return table.ErrRefused
		}
		tx.put(old, changed(old, key, change))
		return nil
	})
	return old, existed, err
}

func changed(old table.Item, key table.Key, change table.Change) table.Item {
	old.Key = key
	return old.Changed(change)
}

// Delete removes an item.
func (t *Table) Delete(ctx context.Context, key table.Key) error {
	return t.write(ctx, table.ForDisk, func(tx items) error {
		there, err := tx.delete(key)
		if err == nil && !there {
			return table.ErrRefused
		}
		return err
	})
}

// DeleteAll removes items in one write.
func (t *Table) DeleteAll(ctx context.Context, keys []table.Key, wait table.Wait) error {
	if len(keys) == 0 {
		return nil
	}
	return t.write(ctx, wait, func(tx items) error {
		for _, k := range keys {
			if _, err := tx.delete(k); err != nil {
				return err
			}
		}
		return nil
	})
}

// Transact tries all conditions before it writes.
func (t *Table) Transact(ctx context.Context, writes []table.Write, wait table.Wait) error {
	return t.write(ctx, wait, func(tx items) error {
		stored, err := tx.tried(writes)
		if err != nil {
			return err
		}
		for i, w := range writes {
			switch w.Verb {
			case table.Puts:
				tx.put(stored[i], w.Item)
			case table.Updates:
				tx.put(stored[i], changed(stored[i], w.Item.Key, w.Change))
			case table.Deletes:
				tx.remove(stored[i])
			}
		}
		return nil
	})
}

// items is a write over items.
type items struct{ tx *engine.Tx }

// tried returns what is stored where each write goes, or a refusal.
func (i items) tried(writes []table.Write) (stored []table.Item, err error) {
	stored = make([]table.Item, len(writes))
	var refused map[int]table.Item
	for n, w := range writes {
		it, there, err := i.get(w.Item.Key)
		if err != nil {
			return nil, err
		}
		if !w.If.Holds(it, there) {
			if refused == nil {
				refused = map[int]table.Item{}
			}
			refused[n] = it
		}
		stored[n] = it
	}
	if refused != nil {
		return nil, &table.Refusal{Refused: refused}
	}
	return stored, nil
}

// get reads an item; without a key if there is none.
func (i items) get(key table.Key) (it table.Item, found bool, err error) {
	value, err := i.tx.Get(itemKey(key))
	if err != nil || value == nil {
		return table.Item{}, false, err
	}
	it, err = decode(key, value)
	return it, true, err
}

// put stores an item in the place of the old one.
func (i items) put(old, item table.Item) { i.replace(old, item, encode(item)) }

// replace is put with the item's encoding.
func (i items) replace(old, item table.Item, value []byte) {
	i.tx.Set(itemKey(item.Key), value)
	for n, k := range item.Index {
		if old.Index[n] == k {
			continue
		}
		if old.Index[n] != (table.Key{}) {
			i.tx.Delete(indexKey(n, old.Index[n]))
		}
		if k != (table.Key{}) {
			i.tx.Set(indexKey(n, k), keyValue(item.Key))
		}
	}
	if before, after := expiryKey(old), expiryKey(item); !bytes.Equal(before, after) {
		if before != nil {
			i.tx.Delete(before)
		}
		if after != nil {
			i.tx.Set(after, nil)
		}
	}
}

// delete removes what is stored under a key, and reports whether it was there.
func (i items) delete(key table.Key) (there bool, err error) {
	it, there, err := i.get(key)
	if there && err == nil {
		i.remove(it)
	}
	return there, err
}

// remove removes an item that is stored.
func (i items) remove(it table.Item) {
	if it.Key == (table.Key{}) {
		return
	}
	i.tx.Delete(itemKey(it.Key))
	for n, k := range it.Index {
		if k != (table.Key{}) {
			i.tx.Delete(indexKey(n, k))
		}
	}
	if key := expiryKey(it); key != nil {
		i.tx.Delete(key)
	}
}

var errItem = fmt.Errorf("the data is damaged: an item is none that we wrote")
