package localstore

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// Bounds of one step, so that writers wait a few milliseconds for it at most.
const (
	prunedRows   = 500 // rows that a step looks at
	prunedAtOnce = 50  // of them that one transaction changes
)

// pass is how far a pass over all tables has come. A new process begins a new
// pass.
type pass struct {
	mu    sync.Mutex
	table int   // of prunedTables
	after []any // key of the last row that was looked at; nil at first
}

// pruning is one step: which rows behind a key retention has done with.
type pruning struct {
	store *Store
	now   time.Time
	keep  webhook.Retention
}

// prunedTables are the tables with a key below all others, and the step that
// returns the key of the last row it looked at, nil at the table's end.
var prunedTables = []struct {
	begin []any
	step  func(p pruning, ctx context.Context, after []any) (last []any, err error)
}{
	{[]any{"", ""}, pruning.deliveries},
	{[]any{"", int64(-1), ""}, pruning.events},
	{[]any{"", "", int64(0)}, pruning.versions},
	{triggerStates.begin(), triggerStates.prune},
	{expiredItems.begin(), expiredItems.prune},
}

// Prune takes the next step of a pass that removes what retention has done with
// by now: first the payloads, then all. What waits, and what it needs, stays.
// It reports whether the pass goes on; the next call after its end begins
// another. A step looks at a bounded number of rows, in short transactions.
func (s *Store) Prune(ctx context.Context, now time.Time, keep webhook.Retention) (more bool, err error) {
	s.pass.mu.Lock()
	defer s.pass.mu.Unlock()
	table := prunedTables[s.pass.table]
	after := s.pass.after
	if after == nil {
		after = table.begin
	}
	last, err := table.step(pruning{s, now, keep}, ctx, after)
	if err != nil {
		return false, fmt.Errorf("prune: %w", err)
	}
	if s.pass.after = last; last == nil {
		s.pass.table = (s.pass.table + 1) % len(prunedTables)
	}
	return last != nil || s.pass.table > 0, nil
}

// rows reads the rows behind a key. See returns whether the row, whose key it
// gives, is to be changed.
func (p pruning) rows(ctx context.Context, sql string, after []any, see func(row *localdb.Row) (key []any, change bool)) (last []any, changes [][]any, err error) {
	n := 0
	err = p.store.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(sql, append(slices.Clone(after), prunedRows), func(row *localdb.Row) error {
			key, change := see(row)
			if n++; change {
				changes = append(changes, key)
			}
			last = key
			return nil
		})
	})
	if n < prunedRows {
		last = nil
	}
	return last, changes, err
}

// each calls change for the keys, a few in each transaction.
func (p pruning) each(ctx context.Context, keys [][]any, change func(tx *localdb.Tx, key []any) error) error {
	for some := range slices.Chunk(keys, prunedAtOnce) {
		err := p.store.db.Write(ctx, localdb.Background, func(tx *localdb.Tx) error {
			for _, key := range some {
				if err := change(tx, key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (p pruning) ago(d time.Duration) string { return p.now.Add(-d).UTC().Format(timeLayout) }
