package localtable

import (
	"context"
	"time"

	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/store/table"
)

const pruneStep = 200 // items that one step removes

// PruneExpired removes items whose time is over, some in one call, and reports
// whether there are more.
func (t *Table) PruneExpired(ctx context.Context, now time.Time) (more bool, err error) {
	keys, err := t.expired(now)
	if err != nil || len(keys) == 0 {
		return false, err
	}
	err = t.write(ctx, table.ForOthers, func(tx items) error {
		for _, k := range keys {
			it, there, err := tx.get(k)
			if err != nil {
				return err
			}
			if there && !it.Expires.IsZero() && !it.Expires.After(now) { // it may have got more time
				tx.remove(it)
			}
		}
		return nil
	})
	return len(keys) == pruneStep, err
}

// expired returns the keys of the items that expired first.
func (t *Table) expired(now time.Time) (keys []table.Key, err error) {
	from, to := expiriesTo(0), expiriesTo(now.Unix()+1)
	err = t.db.Scan(engine.Span{From: from, To: to}, func(key, _ []byte) (bool, error) {
		k, err := readKey(key[len(from):])
		keys = append(keys, k)
		return len(keys) < pruneStep, err
	})
	return keys, err
}
