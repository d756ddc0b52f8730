// Package localstore stores everything except queues in the engine of local mode:
// the records and nouns of all stores, in the table of package localtable.
//
// What an API caller was promised is on the disk before a method returns
// (subscriptions, tenants, cancels). The stages' own progress is written in
// order: a power cut may take back the last of it, but never more than of the
// queue, so the message that led to it is there again.
//
// Every read is a get or a range of keys. Where a filter has none it looks at a
// bounded number of items and returns a short page.
package localstore

import (
	"context"
	"errors"
	"time"

	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localtable"
	"github.com/postino/postino/shared/store/record"
	"github.com/postino/postino/shared/webhook"
)

// Store is a store in an engine. Its methods may be called concurrently.
type Store struct {
	*record.Store // its Retention is that of jobs that have ended

	items *localtable.Table
}

// In returns the store in db, which nobody else writes.
func In(db *engine.DB) *Store {
	items := localtable.In(db)
	return &Store{Store: record.In(items).Alone(), items: items}
}

// Prune takes one step of removing what retention has done with and what has
// expired, and reports whether there is more to do; see [record.Store.Prune].
func (s *Store) Prune(ctx context.Context, now time.Time, keep webhook.Retention) (more bool, err error) {
	goesOn, err := s.Store.Prune(ctx, now, keep)
	expired, failed := s.items.PruneExpired(ctx, now)
	return goesOn || expired, errors.Join(err, failed)
}
