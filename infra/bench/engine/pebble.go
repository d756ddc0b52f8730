package main

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// pebbles is a Pebble store with its defaults but a memtable and a cache that
// fit into a small process.
type pebbles struct{ db *pebble.DB }

func openPebble(folder string) (engine, error) {
	cache := pebble.NewCache(16 << 20)
	defer cache.Unref()
	db, err := pebble.Open(folder, &pebble.Options{Cache: cache, MemTableSize: 16 << 20, Logger: quiet{}})
	return pebbles{db}, err
}

func (p pebbles) write(rows []row, synced bool) error {
	batch := p.db.NewBatch()
	defer batch.Close()
	for _, r := range rows {
		var err error
		if r.value == nil {
			err = batch.Delete(r.key, nil)
		} else {
			err = batch.Set(r.key, r.value, nil)
		}
		if err != nil {
			return err
		}
	}
	if synced {
		return batch.Commit(pebble.Sync)
	}
	return batch.Commit(pebble.NoSync)
}

func (p pebbles) has(key []byte) (bool, error) {
	_, closer, err := p.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, closer.Close()
}

func (p pebbles) close() error { return p.db.Close() }

// quiet drops what Pebble tells of itself.
type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}
