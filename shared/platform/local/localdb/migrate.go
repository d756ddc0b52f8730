package localdb

import (
	"context"
	"fmt"
)

// migrationsTable records what was applied, so that a change of the past is
// noticed.
const migrationsTable = `CREATE TABLE IF NOT EXISTS localdb_migrations (
	part TEXT NOT NULL, step INTEGER NOT NULL, ddl TEXT NOT NULL, PRIMARY KEY (part, step)) WITHOUT ROWID`

// Migrate brings the tables of one part up to date: it applies those ddl
// scripts that were not applied yet, in order, all or none. A release may only
// append to ddl: a file with other or further scripts is refused.
func (db *DB) Migrate(ctx context.Context, part string, ddl []string) error {
	err := db.Write(ctx, Durable, func(tx *Tx) error {
		done, err := tx.migrated(part, ddl)
		if err != nil {
			return err
		}
		for ; done < len(ddl); done++ {
			tx.wrote = true
			if err := tx.conn.run(ddl[done]); err != nil {
				return fmt.Errorf("script %d: %w", done, err)
			}
			if _, err := tx.Exec("INSERT INTO localdb_migrations VALUES (?, ?, ?)", part, done, ddl[done]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("prepare tables of %s in %s: %w", part, db.path, err)
	}
	return nil
}

// migrated counts the scripts that were applied, after comparing them.
func (tx *Tx) migrated(part string, ddl []string) (done int, err error) {
	err = tx.Query("SELECT ddl FROM localdb_migrations WHERE part = ? ORDER BY step", []any{part}, func(row *Row) error {
		if done >= len(ddl) {
			return fmt.Errorf("the file is from a newer release")
		}
		if row.Text(0) != ddl[done] {
			return fmt.Errorf("the file was made with another script %d", done)
		}
		done++
		return nil
	})
	return done, err
}
