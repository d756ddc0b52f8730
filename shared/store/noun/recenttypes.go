package noun

import (
	"sync"

	"github.com/postino/postino/shared/language/weighed"
	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// recentTypes remembers event types that were read, and those that are not
// registered, since every publish asks for one. It is for a process that alone
// writes. Nil remembers nothing.
type recentTypes struct {
	mu      sync.Mutex
	changes int // counts what was forgotten, so that a read under way meanwhile is not kept
	types   *weighed.Cache[table.Key, recentType]
}

// recentType is a type as it is stored.
type recentType struct {
	typ        webhook.EventType
	registered bool
	forgotten  bool
}

// Bytes of the types that are remembered, and of those of one tenant.
const (
	maxRecentTypes      = 8 << 20
	maxOwnedRecentTypes = 1 << 20
)

func newRecentTypes() *recentTypes {
	r := &recentTypes{}
	r.forgetAll()
	return r
}

// find returns what is stored of types, if all of it is remembered, and otherwise
// what put wants to know.
func (r *recentTypes) find(keys []table.Key) (found map[string]webhook.EventType, all bool, changes int) {
	if r == nil {
		return nil, false, 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	found = map[string]webhook.EventType{}
	for _, key := range keys {
		recent, known := r.types.Get(key)
		if !known || recent.forgotten {
			return nil, false, r.changes
		}
		if recent.registered {
			found[recent.typ.Type] = recent.typ
		}
	}
	return found, true, r.changes
}

// put remembers what was read since find, unless something was forgotten since.
func (r *recentTypes) put(tenant string, keys []table.Key, found map[table.Key]webhook.EventType, changes int) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changes != changes {
		return
	}
	for _, key := range keys {
		typ, registered := found[key]
		r.types.Put(tenant, key, recentType{typ: typ, registered: registered}, len(typ.Description)+len(typ.Schema)+len(typ.Sample))
	}
}

// forget is called after each write of a type, also one that failed: it may have
// been carried out.
func (r *recentTypes) forget(tenant string, at table.Key) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes++
	if _, found := r.types.Get(at); found {
		r.types.Put(tenant, at, recentType{forgotten: true}, 0)
	}
}

func (r *recentTypes) forgetAll() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes++
	r.types = weighed.New[table.Key, recentType](maxRecentTypes, maxOwnedRecentTypes, nil)
}
