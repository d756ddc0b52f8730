package localstore

import (
	"context"
	"time"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/store/table"
)

// itemTable is the table "items" as [table.Table], for package noun.
type itemTable struct{ db *localdb.DB }

const selectItems = "SELECT sort, fields, expires FROM items WHERE partition = ?1 AND "

// Get reads the items in one transaction.
func (t itemTable) Get(ctx context.Context, keys ...table.Key) (map[table.Key]table.Item, error) {
	found := make(map[table.Key]table.Item, len(keys))
	err := t.db.Read(ctx, func(tx *localdb.Tx) error {
		for _, k := range keys {
			err := tx.Query(selectItems+"sort = ?2", []any{k.Partition, k.Sort}, func(row *localdb.Row) (err error) {
				found[k], err = readItem(row, k.Partition)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// Page reads a range of the primary key.
func (t itemTable) Page(ctx context.Context, r table.Range, limit int) (items []table.Item, err error) {
	sql, to := selectItems+"sort >= ?2 AND sort <= ?3 ORDER BY sort LIMIT ?4", any(r.To)
	if r.Desc {
		sql = selectItems + "sort >= ?2 AND sort <= ?3 ORDER BY sort DESC LIMIT ?4"
	}
	if r.To == "" {
		to = []byte{} // a blob sorts behind every text
	}
	err = t.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(sql, []any{r.Partition, r.From, to, limit}, func(row *localdb.Row) error {
			item, err := readItem(row, r.Partition)
			items = append(items, item)
			return err
		})
	})
	return items, err
}

// Put looks whether there is an item in the same transaction.
func (t itemTable) Put(ctx context.Context, item table.Item, how table.How) (old table.Item, replaced bool, err error) {
	durability := localdb.Durable
	if how.Relaxed {
		durability = localdb.Ordered
	}
	err = t.db.Write(ctx, durability, func(tx *localdb.Tx) error {
		old, replaced = table.Item{}, false
		err := tx.Query(selectItems+"sort = ?2", []any{item.Partition, item.Sort}, func(row *localdb.Row) (err error) {
			replaced = true
			old, err = readItem(row, item.Partition)
			return err
		})
		if err != nil {
			return err
		}
		if how.Revision != "" && old.Fields.Int(how.Revision) != item.Fields.Int(how.Revision)-1 {
			return table.ErrRefused
		}
		fields, err := encodeFields(item.Merged(old, how.Keep).Fields)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO items (partition, sort, fields, expires) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET fields = excluded.fields, expires = excluded.expires`,
			item.Partition, item.Sort, fields, stamp(item.Expires))
		return err
	})
	return old, replaced, err
}

// Delete removes an item.
func (t itemTable) Delete(ctx context.Context, key table.Key) error {
	return t.db.Write(ctx, localdb.Durable, func(tx *localdb.Tx) error {
		n, err := tx.Exec(deleteItem, key.Partition, key.Sort)
		if err == nil && n == 0 {
			return table.ErrRefused
		}
		return err
	})
}

const deleteItem = "DELETE FROM items WHERE partition = ? AND sort = ?"

// DeleteAll removes items in one transaction.
func (t itemTable) DeleteAll(ctx context.Context, keys []table.Key) error {
	return t.db.Write(ctx, localdb.Durable, func(tx *localdb.Tx) error {
		for _, k := range keys {
			if _, err := tx.Exec(deleteItem, k.Partition, k.Sort); err != nil {
				return err
			}
		}
		return nil
	})
}

func readItem(row *localdb.Row, partition string) (item table.Item, err error) {
	item.Key = table.Key{Partition: partition, Sort: row.Text(0)}
	if item.Fields, err = decodeFields(row.Text(1)); err != nil {
		return item, err
	}
	expires, err := moment(row, 2)
	if !expires.IsZero() {
		item.Expires = expires.Truncate(time.Second)
	}
	return item, err
}
