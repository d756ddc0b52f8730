package record

import (
	"context"
	"hash/maphash"
	"strings"
	"sync"

	"github.com/postino/postino/shared/store/table"
)

// written tells, without a read, that most new deliveries are not stored yet,
// which is what each first attempt asks, and most new events. It is for a process
// that alone writes: a record is there only if its place is not behind those found
// at the start, or was written since. Places ascend in time: what is forgotten is
// old, and asked of the table. The place of a delivery is its id; that of an event is
// where index 1 has it. Nil knows nothing.
type written struct {
	all      table.Range // of every tenant, by place
	mu       sync.RWMutex
	seed     maphash.Seed
	begun    bool             // floor has what an earlier process wrote
	floor    string           // places up to here are not known
	now, was map[uint64]uint8 // hashes of tenant and id, written since: once or more often
	highest  string           // place in now
	before   string           // place in was, the highest
}

// maxWritten is how many ids one of the two sets holds: about a megabyte.
const maxWritten = 1 << 15

func newWritten(all table.Range) *written {
	return &written{all: all, seed: maphash.MakeSeed(), now: map[uint64]uint8{}}
}

// Where deliveries and events are, by place.
var (
	allDeliveries = table.Range{Partition: deliveryKind}
	allEvents     = table.Range{Partition: eventKind, Index: 1}
)

func (w *written) hash(tenant, id string) uint64 {
	return maphash.Comparable(w.seed, [2]string{tenant, id})
}

// add notes a record that is about to be written for the first time. What it
// returns reports, when the record is being written, whether it is certainly not
// in the table: nobody else was about to write it by then. It is nil if that is not
// known now.
func (w *written) add(tenant, id, place string) (isNew func() bool) {
	if w == nil {
		return nil
	}
	h := w.hash(tenant, id)
	w.mu.Lock()
	defer w.mu.Unlock()
	known := w.begun && place > w.floor && w.now[h] == 0 && w.was[h] == 0
	if len(w.now) >= maxWritten {
		w.floor = max(w.floor, w.before)
		w.was, w.before = w.now, w.highest
		w.now, w.highest = map[uint64]uint8{}, ""
	}
	w.now[h] = min(w.now[h]+1, 2)
	w.highest = max(w.highest, place)
	if !known {
		return nil
	}
	return func() bool { return w.once(h) }
}

// once reports whether a record was added once.
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
	w.begin(ctx, in)
	h := w.hash(tenant, id)
	w.mu.RLock()
	defer w.mu.RUnlock()
	if !w.begun || id <= w.floor {
		return false
	}
	return w.now[h]+w.was[h] == 0
}

// begin finds, once, the highest place that is stored, of all tenants. If it cannot
// read, the next caller begins.
func (w *written) begin(ctx context.Context, in table.Table) {
	if w == nil {
		return
	}
	w.mu.RLock()
	begun := w.begun
	w.mu.RUnlock()
	if begun {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for from := ""; !w.begun; {
		first, err := in.Page(ctx, w.between(from+"\x00", "", false), 1)
		if err != nil {
			return
		}
		if len(first) == 0 {
			w.begun = true
			return
		}
		tenant, _, _ := strings.Cut(w.sort(first[0]), separator)
		from = tenant + separator + behindAll
		last, err := in.Page(ctx, w.between(w.sort(first[0]), from, true), 1)
		if err != nil {
			return
		}
		if len(last) > 0 {
			sort := w.sort(last[0])
			w.floor = max(w.floor, sort[strings.LastIndexByte(sort, '#')+1:])
		}
	}
}

func (w *written) between(from, to string, desc bool) table.Range {
	r := w.all
	r.From, r.To, r.Desc = from, to, desc
	return r
}

// sort is where an item stands among all.
func (w *written) sort(it table.Item) string {
	if w.all.Index > 0 {
		return it.Index[w.all.Index-1].Sort
	}
	return it.Sort
}
