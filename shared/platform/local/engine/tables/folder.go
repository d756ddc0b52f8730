package tables

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// folder implements Tables.
type folder struct{ db *pebble.DB }

func (f folder) Get(key []byte) ([]byte, error) {
	value, closer, err := f.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	value = present(bytes.Clone(value))
	return value, closer.Close()
}

// Find asks the filters of all tables. Pebble's own Get leaves out those of the
// lowest level, which has most of the keys, and so would read a block for each.
func (f folder) Find(key []byte) (value []byte, err error) {
	it, err := f.db.NewIter(&pebble.IterOptions{UseL6Filters: true})
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

func (f folder) Scan(s Span, each func(key, value []byte) (more bool, err error)) (err error) {
	it, err := f.db.NewIter(&pebble.IterOptions{LowerBound: s.From, UpperBound: s.To})
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
		if more, err := each(it.Key(), value); !more || err != nil {
			return err
		}
	}
	return it.Error()
}

func (f folder) NewBatch() Batch { return batch{f.db.NewBatch()} }

func (f folder) Apply(b Batch) error { return f.db.Apply(b.(batch).Batch, pebble.NoSync) }

func (f folder) Replay(bytes []byte) error {
	b := f.db.NewBatch()
	defer b.Close()
	if err := b.SetRepr(bytes); err != nil {
		return err
	}
	return f.db.Apply(b, pebble.NoSync)
}

func (f folder) Flush() (<-chan struct{}, error) { return f.db.AsyncFlush() }

func (f folder) Close() error { return f.db.Close() }

// batch implements Batch.
type batch struct{ *pebble.Batch }

func (b batch) Set(key, value []byte) error { return b.Batch.Set(key, value, nil) }

func (b batch) Delete(key []byte) error { return b.Batch.Delete(key, nil) }

func (b batch) DeleteOnce(key []byte) error { return b.SingleDelete(key, nil) }

func (b batch) Bytes() []byte { return b.Repr() }

// present is a value that is there, if only as no bytes.
func present(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}
