package engine

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// Get returns a copy of what is stored under a key; nil if nothing is.
func (db *DB) Get(key []byte) ([]byte, error) {
	db.open.RLock()
	defer db.open.RUnlock()
	if db.shut {
		return nil, errClosed
	}
	db.rows.Add(1)
	return db.get(key)
}

// get is Get while the tables are open.
func (db *DB) get(key []byte) ([]byte, error) {
	value, closer, err := db.tables.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	value = present(bytes.Clone(value))
	return value, closer.Close()
}

// find is get of a key that as a rule does not exist, and of which the filters of
// all tables are asked. Pebble's own Get leaves out those of the lowest level, which
// has most of the keys, and so would read a block for each.
func (db *DB) find(key []byte) (value []byte, err error) {
	it, err := db.tables.NewIter(&pebble.IterOptions{UseL6Filters: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	if !it.SeekPrefixGE(key) || !bytes.Equal(it.Key(), key) {
		return nil, it.Error()
	}
	found, err := it.ValueAndErr()
	return present(bytes.Clone(found)), err
}

// Span is a range of keys, in their order or the reverse.
type Span struct {
	From []byte // the least key
	To   []byte // the first key behind
	Desc bool
}

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
func (db *DB) Scan(s Span, each func(key, value []byte) (more bool, err error)) (err error) {
	db.open.RLock()
	defer db.open.RUnlock()
	if db.shut {
		return errClosed
	}
	it, err := db.tables.NewIter(&pebble.IterOptions{LowerBound: s.From, UpperBound: s.To})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	start, next := it.First, it.Next
	if s.Desc {
		start, next = it.Last, it.Prev
	}
	for ok := start(); ok; ok = next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		db.rows.Add(1)
		if more, err := each(it.Key(), value); !more || err != nil {
			return err
		}
	}
	return it.Error()
}

// RowsRead counts the rows that were read since the store was opened. It is exact
// while nothing reads. Tests hold with it how much a page of a list reads.
func (db *DB) RowsRead() int64 { return db.rows.Load() }
