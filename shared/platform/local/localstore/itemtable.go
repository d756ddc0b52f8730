package localstore

import (
	"context"
	"time"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/store/table"
)

// itemTable is the table "items" as [table.Table], for package noun.
type itemTable struct{ db *localdb.DB }

// durabilities are what the database calls what a write waits for.
var durabilities = map[table.Wait]localdb.Durability{
	table.ForDisk: localdb.Durable, table.ForCommit: localdb.Ordered, table.ForOthers: localdb.Background,
}

func (t itemTable) write(ctx context.Context, wait table.Wait, fn func(items itemTx) error) error {
	return t.db.Write(ctx, durabilities[wait], func(tx *localdb.Tx) error { return fn(itemTx{tx}) })
}

// Get reads the items in one transaction.
func (t itemTable) Get(ctx context.Context, keys ...table.Key) (map[table.Key]table.Item, error) {
	found := make(map[table.Key]table.Item, len(keys))
	err := t.db.Read(ctx, func(tx *localdb.Tx) error {
		for _, k := range keys {
			it, there, err := itemTx{tx}.get(k)
			if err != nil {
				return err
			}
			if there {
				found[k] = it
			}
		}
		return nil
	})
	return found, err
}

// Page reads a range of the primary key or of an index.
func (t itemTable) Page(ctx context.Context, r table.Range, limit int) (items []table.Item, err error) {
	sql, args := rangeOf(r, itemColumns, limit)
	err = t.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(sql, args, func(row *localdb.Row) error {
			item, err := readItem(row)
			items = append(items, item)
			return err
		})
	})
	return items, err
}

// Count counts the rows of a range.
func (t itemTable) Count(ctx context.Context, r table.Range, limit int) (n int, err error) {
	sql, args := rangeOf(r, "1", limit)
	err = t.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query("SELECT count(*) FROM ("+sql+")", args, func(row *localdb.Row) error { n = int(row.Int64(0)); return nil })
	})
	return n, err
}

// Put looks at what is there in the same transaction.
func (t itemTable) Put(ctx context.Context, item table.Item, how table.How) (old table.Item, replaced bool, err error) {
	err = t.write(ctx, how.Wait, func(items itemTx) (err error) {
		if old, replaced, err = items.get(item.Key); err != nil {
			return err
		}
		if !how.If.Holds(old, replaced) {
			replaced = false
			return table.ErrRefused
		}
		return items.put(item)
	})
	return old, replaced, err
}

// Update reads, changes and writes in one transaction.
func (t itemTable) Update(ctx context.Context, key table.Key, change table.Change, how table.How) (old table.Item, existed bool, err error) {
	err = t.write(ctx, how.Wait, func(items itemTx) (err error) {
		if old, existed, err = items.get(key); err != nil {
			return err
		}
		if !how.If.Holds(old, existed) {
			return table.ErrRefused
		}
		return items.put(changed(old, key, change))
	})
	return old, existed, err
}

func changed(old table.Item, key table.Key, change table.Change) table.Item {
	old.Key = key
	return old.Changed(change)
}

// Delete removes an item.
func (t itemTable) Delete(ctx context.Context, key table.Key) error {
	return t.write(ctx, table.ForDisk, func(items itemTx) error {
		n, err := items.delete(key)
		if err == nil && n == 0 {
			return table.ErrRefused
		}
		return err
	})
}

// DeleteAll removes items in one transaction.
func (t itemTable) DeleteAll(ctx context.Context, keys []table.Key, wait table.Wait) error {
	if len(keys) == 0 {
		return nil
	}
	return t.write(ctx, wait, func(items itemTx) error {
		for _, k := range keys {
			if _, err := items.delete(k); err != nil {
				return err
			}
		}
		return nil
	})
}

// Transact tries all conditions before it writes.
func (t itemTable) Transact(ctx context.Context, writes []table.Write, wait table.Wait) error {
	return t.write(ctx, wait, func(items itemTx) error {
		stored, err := items.tried(writes)
		if err != nil {
			return err
		}
		for i, w := range writes {
			switch w.Verb {
			case table.Puts:
				err = items.put(w.Item)
			case table.Updates:
				err = items.put(changed(stored[i], w.Item.Key, w.Change))
			case table.Deletes:
				_, err = items.delete(w.Item.Key)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// itemTx is a transaction over items.
type itemTx struct{ tx *localdb.Tx }

// tried returns what is stored where each write goes, or a refusal.
func (i itemTx) tried(writes []table.Write) (stored []table.Item, err error) {
	refused := map[int]table.Item{}
	for n, w := range writes {
		it, there, err := i.get(w.Item.Key)
		if err != nil {
			return nil, err
		}
		if !w.If.Holds(it, there) {
			refused[n] = it
		}
		stored = append(stored, it)
	}
	if len(refused) > 0 {
		return nil, &table.Refusal{Refused: refused}
	}
	return stored, nil
}

func (i itemTx) get(key table.Key) (it table.Item, found bool, err error) {
	err = i.tx.Query("SELECT "+itemColumns+" FROM items WHERE partition = ?1 AND sort = ?2", []any{key.Partition, key.Sort}, func(row *localdb.Row) (err error) {
		found = true
		it, err = readItem(row)
		return err
	})
	return it, found, err
}

func (i itemTx) put(item table.Item) error {
	fields, err := encodeFields(item.Fields)
	if err != nil {
		return err
	}
	args := []any{item.Partition, item.Sort, fields, stamp(item.Expires.Truncate(time.Second))}
	for _, k := range item.Index {
		if k == (table.Key{}) {
			args = append(args, nil, nil)
		} else {
			args = append(args, k.Partition, k.Sort)
		}
	}
	_, err = i.tx.Exec(`INSERT INTO items (`+itemColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET fields = excluded.fields, expires = excluded.expires,
			partition1 = excluded.partition1, sort1 = excluded.sort1, partition2 = excluded.partition2, sort2 = excluded.sort2`, args...)
	return err
}

func (i itemTx) delete(key table.Key) (n int, err error) {
	return i.tx.Exec("DELETE FROM items WHERE partition = ? AND sort = ?", key.Partition, key.Sort)
}

// rangeOf selects columns of up to limit items of a range.
func rangeOf(r table.Range, columns string, limit int) (sql string, args []any) {
	names := [...][2]string{{"partition", "sort"}, {"partition1", "sort1"}, {"partition2", "sort2"}}[r.Index]
	sql, to := "SELECT "+columns+" FROM items WHERE "+names[0]+" = ? AND "+names[1]+" >= ? AND "+names[1]+" <= ? ORDER BY "+names[1], any(r.To)
	if r.Desc {
		sql += " DESC"
	}
	if r.To == "" {
		to = []byte{} // a blob sorts behind every text
	}
	return sql + " LIMIT ?", []any{r.Partition, r.From, to, limit}
}

const itemColumns = "partition, sort, fields, expires, partition1, sort1, partition2, sort2"

func readItem(row *localdb.Row) (item table.Item, err error) {
	item.Key = table.Key{Partition: row.Text(0), Sort: row.Text(1)}
	if item.Fields, err = decodeFields(row.Text(2)); err != nil {
		return item, err
	}
	for i := range item.Index {
		if column := 4 + 2*i; !row.IsNull(column) {
			item.Index[i] = table.Key{Partition: row.Text(column), Sort: row.Text(column + 1)}
		}
	}
	item.Expires, err = moment(row, 3)
	return item, err
}
