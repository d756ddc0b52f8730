package engine

import (
	"bytes"

	"github.com/postino/postino/shared/platform/local/engine/tables"
)

// Tx is what the function given to [DB.Write] reads and writes with. It ends
// with that function. Keys are not empty, and do not begin with the byte 0.
type Tx struct {
	db      *DB
	own     []change          // of the current call
	pending map[string][]byte // of the group's earlier calls; nil for deleted
}

// change sets a key, or deletes it.
type change struct {
	key, value []byte
	deletes    bool
	once       bool // it deletes what was set once
}

// Get returns a copy of what is stored under a key, with all that this call and
// earlier ones wrote; nil if nothing is.
func (tx *Tx) Get(key []byte) ([]byte, error) {
	for i := len(tx.own) - 1; i >= 0; i-- {
		if c := tx.own[i]; bytes.Equal(c.key, key) {
			return bytes.Clone(c.stored()), nil
		}
	}
	if value, there := tx.pending[string(key)]; there {
		return bytes.Clone(value), nil
	}
	return tx.db.tables.Find(key)
}

// stored is what Get returns of it: nil only if it deleted the key.
func (c change) stored() []byte {
	if c.deletes {
		return nil
	}
	return present(c.value)
}

// Set stores a value under a key. Both are taken over: the caller does not write
// into them any more.
func (tx *Tx) Set(key, value []byte) { tx.own = append(tx.own, change{key: key, value: value}) }

// Delete removes a key. One that does not exist is no error.
func (tx *Tx) Delete(key []byte) { tx.own = append(tx.own, change{key: key, deletes: true}) }

// DeleteOnce is Delete of a key that was set exactly once in the life of the
// store, and is never set again. If both happen within seconds, the tables see
// nothing of it.
func (tx *Tx) DeleteOnce(key []byte) {
	tx.own = append(tx.own, change{key: key, deletes: true, once: true})
}

// keep adds what the call wrote to the batch of its group.
func (tx *Tx) keep(batch tables.Batch) error {
	for _, c := range tx.own {
		tx.pending[string(c.key)] = c.stored()
		if err := c.write(batch); err != nil {
			return err
		}
	}
	return nil
}

func (c change) write(batch tables.Batch) error {
	switch {
	case c.once:
		return batch.DeleteOnce(c.key)
	case c.deletes:
		return batch.Delete(c.key)
	}
	return batch.Set(c.key, c.value)
}

// reset forgets what a call wrote.
func (tx *Tx) reset() {
	clear(tx.own)
	tx.own = tx.own[:0]
}

// present is a value that is there, if only as no bytes.
func present(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}
