package record

import (
	"context"
	"hash/maphash"
	"strings"
	"sync"

	"github.com/postino/postino/shared/store/table"
)

// written tells, without a read, that most new deliveries are not stored yet,
// which is what each first attempt asks. It is for a process that alone writes: a
// delivery is there only if its id is not above those found at the start, or was
// written since. Ids ascend in time: what is forgotten is old, and asked of the
// table. Nil knows nothing.
type written struct {
	mu       sync.RWMutex
	seed     maphash.Seed
	begun    bool             // floor has what an earlier process wrote
	floor    string           // ids up to here are not known
	now, was map[uint64]uint8 // hashes of tenant and id, written since: once or more often
	highest  string           // id in now
	before   string           // id in was, the highest
}

// maxWritten is how many ids one of the two sets holds: about a megabyte.
const maxWritten = 1 << 15

func newWritten() *written {
	return &written{seed: maphash.MakeSeed(), now: map[uint64]uint8{}}
}

func (w *written) hash(tenant, id string) uint64 {
	return maphash.Comparable(w.seed, [2]string{tenant, id})
}

// add notes a delivery that is about to be written for the first time. What it
// returns reports, when the delivery is being written, whether it is certainly not
// in the table: nobody else was about to write it by then. It is nil if that is not
// known now.
func (w *written) add(tenant, id string) (isNew func() bool) {
	if w == nil {
		return nil
	}
	h := w.hash(tenant, id)
	w.mu.Lock()
	defer w.mu.Unlock()
	known := w.begun && id > w.floor && w.now[h] == 0 && w.was[h] == 0
	if len(w.now) >= maxWritten {
		w.floor = max(w.floor, w.before)
		w.was, w.before = w.now, w.highest
		w.now, w.highest = map[uint64]uint8{}, ""
	}
	w.now[h] = min(w.now[h]+1, 2)
	w.highest = max(w.highest, id)
	if !known {
		return nil
	}
	return func() bool { return w.once(h) }
}

// once reports whether a delivery was added once.
func (w *written) once(h uint64) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.now[h]+w.was[h] == 1
}

// absent reports whether the delivery is certainly not in the table.
func (w *written) absent(ctx context.Context, in table.Table, tenant, id string) bool {
	if w == nil {
		return false
	}
	h := w.hash(tenant, id)
	w.mu.RLock()
	defer w.mu.RUnlock()
	if !w.begun {
		w.mu.RUnlock()
		w.begin(ctx, in)
		w.mu.RLock()
	}
	if !w.begun || id <= w.floor {
		return false
	}
	return w.now[h]+w.was[h] == 0
}

// begin finds the highest id that is stored, of all tenants. If it cannot read,
// the next caller begins.
func (w *written) begin(ctx context.Context, in table.Table) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for from := ""; !w.begun; {
		first, err := in.Page(ctx, table.Range{Partition: deliveryKind, From: from + "\x00"}, 1)
		if err != nil {
			return
		}
		if len(first) == 0 {
			w.begun = true
			return
		}
		tenant, _, _ := strings.Cut(first[0].Sort, separator)
		from = tenant + separator + behindAll
		last, err := in.Page(ctx, table.Range{Partition: deliveryKind, From: first[0].Sort, To: from, Desc: true}, 1)
		if err != nil {
			return
		}
		if len(last) > 0 {
			w.floor = max(w.floor, lastOf(last[0]))
		}
	}
}
