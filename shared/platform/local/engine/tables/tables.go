// Package tables keeps sorted keys with their values in one folder, with Pebble.
// It is the only package that names Pebble's types. A package that reaches them,
// even through unexported fields, compiles Pebble's generic code once more, for
// about a second. So what this one exports are interfaces.
package tables

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Tables is an open folder. Its methods may be called concurrently, but those
// that write only by one goroutine.
type Tables interface {
	// Get returns a copy of what is stored under a key; nil if nothing is.
	Get(key []byte) ([]byte, error)
	// Find is Get of a key that as a rule does not exist.
	Find(key []byte) ([]byte, error)
	// Scan calls each for the keys of a span until it returns false or an error,
	// which is returned as it is. It sees one unchanging state. Key and value are
	// valid until each returns.
	Scan(s Span, each func(key, value []byte) (more bool, err error)) error
	// NewBatch returns an empty batch.
	NewBatch() Batch
	// Apply writes a batch into memory, and Replay one of which only the bytes are
	// left.
	Apply(b Batch) error
	Replay(bytes []byte) error
	// Flush lets what is in memory go into files. The channel is closed when it is.
	Flush() (<-chan struct{}, error)
	Close() error
}

// Batch is what is written at once. Later writes of a key win.
type Batch interface {
	Set(key, value []byte) error
	Delete(key []byte) error
	// DeleteOnce deletes a key that was set exactly once in the life of the folder,
	// and is never set again.
	DeleteOnce(key []byte) error
	Len() int      // in bytes
	Empty() bool   // nothing was written to it
	Bytes() []byte // all of it, see [Tables.Replay]; valid until the next call
	Close() error
}

// Span is a range of keys, in their order or the reverse.
type Span struct {
	From []byte // the least key
	To   []byte // the first key behind
	Desc bool
}

// Open opens, or makes, the tables in dir. Nothing is lost that was flushed. Pebble
// calls fatal when it cannot go on; it must not return unless the tables are
// being closed.
func Open(disk vfs.FS, dir string, fatal func(format string, args ...any)) (Tables, error) {
	db, err := pebble.Open(dir, options(disk, fatal))
	if err != nil {
		return nil, err
	}
	return folder{db}, nil
}

// IsDamage reports whether an error of Open says that the files are damaged.
func IsDamage(err error) bool { return pebble.IsCorruptionError(err) }
