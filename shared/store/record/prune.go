package record

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// prunedRows is how many items a step of [Store.Prune] looks at.
const prunedRows = 500

// pass is how far a pass over deliveries and events has come. A new process
// begins a new pass.
type pass struct {
	mu    sync.Mutex
	kind  int    // of prunedKinds
	after string // the key behind which it goes on; "" at first
}

// pruning is one step: which items behind a key retention has done with.
type pruning struct {
	store *Store
	now   time.Time
	keep  webhook.Retention
}

// prunedKinds are the kinds that are pruned, and the step that returns the key
// that it came to, "" at the end.
var prunedKinds = []func(p pruning, ctx context.Context, after string) (last string, err error){
	pruning.deliveries,
	pruning.events,
}

// Prune takes the next step of a pass that removes what retention has done with
// by now: first the payloads, then all. What waits, and what it needs, stays.
// It reports whether the pass goes on; the next call after its end begins
// another. A step looks at a bounded number of items, and makes short writes. What
// has an expiry is not its business: where all has one, it does nothing.
func (s *Store) Prune(ctx context.Context, now time.Time, keep webhook.Retention) (more bool, err error) {
	if s.spread {
		return false, nil
	}
	s.pass.mu.Lock()
	defer s.pass.mu.Unlock()
	last, err := prunedKinds[s.pass.kind](pruning{s, now, keep}, ctx, s.pass.after)
	if err != nil {
		return false, fmt.Errorf("prune: %w", err)
	}
	if s.pass.after = last; last == "" {
		s.pass.kind = (s.pass.kind + 1) % len(prunedKinds)
	}
	return last != "" || s.pass.kind > 0, nil
}

// step reads the items behind a key of the table or an index. See is given each
// with its tenant and the rest of its key, and reports whether the tenant's others
// are too young. Step returns the key to go on behind.
func (p pruning) step(ctx context.Context, index int, kind, after string, see func(tenant, rest string, it table.Item) (young bool)) (last string, err error) {
	r := table.Range{Index: index, Partition: kind, From: after + "\x00", Lagging: true}
	items, err := p.store.table.Page(ctx, r, prunedRows)
	if err != nil {
		return "", err
	}
	for _, it := range items {
		key := keyIn(index, it)
		tenant, rest, _ := strings.Cut(key, separator)
		if last = key; see(tenant, rest, it) {
			last = tenant + separator + behindAll // the tenant's others are younger still
		}
	}
	if len(items) < prunedRows {
		return "", nil
	}
	return last, nil
}
