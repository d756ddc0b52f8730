// Package localstore stores everything except queues in the SQLite file of
// local mode: subscriptions, events, deliveries, waiting lines and due
// pointers, in tables that the sqlite3 shell can read.
//
// What an API caller was promised is on the disk before a method returns
// (subscriptions, tenants, cancels). The stages' own progress is committed in
// order: a power cut may take back the last of it, but never more than of the
// queue, so the message that led to it is there again.
//
// Every read is a range of a key or index. Where a filter has none it looks at
// a bounded number of rows and returns a short page.
package localstore

import (
	"context"
	"time"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/store/noun"
)

// Store is a store in a database. Its methods may be called concurrently.
type Store struct {
	*noun.Nouns // their Retention is that of jobs that have ended

	db      *localdb.DB
	recent  *recent
	written *written
	pass    pass
}

// New prepares the tables in db.
func New(db *localdb.DB) (*Store, error) {
	if err := db.Migrate(context.Background(), "localstore", schema); err != nil {
		return nil, err
	}
	w, err := newWritten(context.Background(), db)
	if err != nil {
		return nil, err
	}
	nouns := noun.In(itemTable{db})
	nouns.Together = true // one file has no use for shards
	return &Store{Nouns: nouns, db: db, recent: newRecent(), written: w}, nil
}

// timeLayout has all digits, so that times sort as text.
const timeLayout = "2006-01-02T15:04:05.000000000Z"

// stamp returns t as it is stored; zero is NULL.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(timeLayout)
}

// moment reads what stamp made.
func moment(row *localdb.Row, column int) (time.Time, error) {
	if row.IsNull(column) {
		return time.Time{}, nil
	}
	return time.Parse(timeLayout, row.Text(column))
}
