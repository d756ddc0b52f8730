package localstore

import (
	"context"
	"hash/maphash"
	"sync"

	"github.com/postino/postino/shared/platform/local/localdb"
)

// written tells, without a read, that most new deliveries are not stored yet,
// which is what each first attempt asks. This process is the only one that
// writes, so a delivery is there only if its id is not above those found at
// the start, or was written since. Ids ascend in time: what is forgotten is old,
// and asked of the database.
type written struct {
	mu       sync.RWMutex
	seed     maphash.Seed
	floor    string              // ids up to here are not known
	now, was map[uint64]struct{} // hashes of tenant and id, written since
	highest  string              // id in now
	before   string              // id in was, the highest
}

// maxWritten is how many ids one of the two sets holds: about a megabyte.
const maxWritten = 1 << 15

func newWritten(ctx context.Context, db *localdb.DB) (*written, error) {
	w := &written{seed: maphash.MakeSeed(), now: map[uint64]struct{}{}}
	err := db.Read(ctx, func(tx *localdb.Tx) error {
		for tenant, more := "", true; more; {
			more = false
			err := tx.Query("SELECT tenant FROM deliveries WHERE tenant > ? ORDER BY tenant LIMIT 1", []any{tenant}, func(row *localdb.Row) error {
				tenant, more = row.Text(0), true
				return nil
			})
			if err != nil || !more {
				return err
			}
			err = tx.Query("SELECT id FROM deliveries WHERE tenant = ? ORDER BY id DESC LIMIT 1", []any{tenant}, func(row *localdb.Row) error {
				w.floor = max(w.floor, row.Text(0))
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return w, err
}

func (w *written) hash(tenant, id string) uint64 {
	return maphash.Comparable(w.seed, [2]string{tenant, id})
}

// add notes a delivery that is about to be written.
func (w *written) add(tenant, id string) {
	h := w.hash(tenant, id)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.now) >= maxWritten {
		w.floor = max(w.floor, w.before)
		w.was, w.before = w.now, w.highest
		w.now, w.highest = map[uint64]struct{}{}, ""
	}
	w.now[h] = struct{}{}
	w.highest = max(w.highest, id)
}

// absent reports whether the delivery is certainly not stored.
func (w *written) absent(tenant, id string) bool {
	h := w.hash(tenant, id)
	w.mu.RLock()
	defer w.mu.RUnlock()
	if id <= w.floor {
		return false
	}
	_, now := w.now[h]
	_, was := w.was[h]
	return !now && !was
}
