package engine

import (
	"bytes"

	"github.com/postino/postino/shared/platform/local/engine/tables"
)

// Get returns a copy of what is stored under a key; nil if nothing is.
func (db *DB) Get(key []byte) ([]byte, error) {
	db.open.RLock()
	defer db.open.RUnlock()
	if db.shut {
		return nil, errClosed
	}
	db.rows.Add(1)
	return db.tables.Get(key)
}

// Span is a range of keys, in their order or the reverse.
type Span = tables.Span

// Prefix is the span of the keys that begin with a prefix, whose last byte is not
// 0xff.
func Prefix(prefix ...byte) Span {
	to := bytes.Clone(prefix)
	to[len(to)-1]++
	return Span{From: prefix, To: to}
}

// Scan calls each for the keys of a span until it returns false or an error,
// which is returned as it is. It sees one unchanging state. Key and value are
// valid until each returns, which may read if nobody closes the store meanwhile.
func (db *DB) Scan(s Span, each func(key, value []byte) (more bool, err error)) error {
	db.open.RLock()
	defer db.open.RUnlock()
	if db.shut {
		return errClosed
	}
	return db.tables.Scan(s, func(key, value []byte) (bool, error) {
		db.rows.Add(1)
		return each(key, value)
	})
}

// RowsRead counts the rows that were read since the store was opened. It is exact
// while nothing reads. Tests hold with it how much a page of a list reads.
func (db *DB) RowsRead() int64 { return db.rows.Load() }
