package main

import (
	"context"

	"github.com/postino/postino/shared/platform/local/localdb"
)

// sqlite is the file of local mode with one table.
type sqlite struct{ db *localdb.DB }

func openSQLite(folder string) (engine, error) {
	db, err := localdb.Open(folder)
	if err != nil {
		return nil, err
	}
	return sqlite{db}, db.Write(context.Background(), localdb.Durable, func(tx *localdb.Tx) error {
		_, err := tx.Exec("CREATE TABLE rows (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
		return err
	})
}

func (s sqlite) write(rows []row, synced bool) error {
	durability := localdb.Ordered
	if synced {
		durability = localdb.Durable
	}
	return s.db.Write(context.Background(), durability, func(tx *localdb.Tx) error {
		for _, r := range rows {
			var err error
			if r.value == nil {
				_, err = tx.Exec("DELETE FROM rows WHERE key = ?", r.key)
			} else {
				_, err = tx.Exec("INSERT OR REPLACE INTO rows (key, value) VALUES (?, ?)", r.key, r.value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (s sqlite) has(key []byte) (there bool, err error) {
	err = s.db.Read(context.Background(), func(tx *localdb.Tx) error {
		return tx.Query("SELECT 1 FROM rows WHERE key = ?", []any{key}, func(*localdb.Row) error {
			there = true
			return nil
		})
	})
	return there, err
}

func (s sqlite) close() error { return s.db.Close() }
