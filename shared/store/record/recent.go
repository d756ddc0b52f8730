package record

import (
	"maps"
	"sync"

	"github.com/postino/postino/shared/webhook"
)

// recent keeps heads and tenants' versions that were read, since every
// delivery and every event asks for them. It is for a process that alone writes:
// while it changes a subscription nothing is kept, and what was read
// before is forgotten, so nothing kept is older than an acknowledged change. Nil keeps nothing.
type recent struct {
	mu         sync.RWMutex
	changing   int   // changes under way
	generation int64 // counts their beginnings and ends
	heads      map[webhook.SubscriptionRef]webhook.Head
	tenants    map[string]webhook.TenantState
	bytes      int // of filters and types in heads
}

// maxRecent bounds either map, and maxRecentBytes the filters in the heads: most
// are below 2 KB.
const (
	maxRecent      = 10_000
	maxRecentBytes = 20 << 20
)

func newRecent() *recent {
	return &recent{heads: map[webhook.SubscriptionRef]webhook.Head{}, tenants: map[string]webhook.TenantState{}}
}

// change forgets everything, and keeps nothing until f has returned.
func (r *recent) change(f func() error) error {
	if r == nil {
		return f()
	}
	r.mu.Lock()
	r.changing++
	r.generation++
	clear(r.heads)
	clear(r.tenants)
	r.bytes = 0
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.changing--
		r.generation++ // what was read meanwhile may be either
	}()
	return f()
}

// find returns the heads if all are kept, and otherwise what put wants to know.
func (r *recent) find(refs []webhook.SubscriptionRef) (heads []webhook.Head, generation int64) {
	if r == nil {
		return nil, 0
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	heads = make([]webhook.Head, len(refs))
	for i, ref := range refs {
		head, ok := r.heads[ref]
		if !ok {
			return nil, r.generation
		}
		heads[i] = head
	}
	return heads, r.generation
}

// findTenant is find for a tenant's state.
func (r *recent) findTenant(tenant string) (state webhook.TenantState, found bool, generation int64) {
	if r == nil {
		return state, false, 0
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	state, found = r.tenants[tenant]
	return state, found, r.generation
}

// put keeps what was read after find, unless something changed meanwhile.
func (r *recent) put(generation int64, heads map[webhook.SubscriptionRef]webhook.Head, tenants map[string]webhook.TenantState) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changing > 0 || r.generation != generation {
		return
	}
	more := sizeOf(heads)
	if len(r.heads)+len(heads) > maxRecent || r.bytes+more > maxRecentBytes {
		clear(r.heads)
		r.bytes = 0
	}
	if len(r.tenants)+len(tenants) > maxRecent {
		clear(r.tenants)
	}
	if len(heads) <= maxRecent && more <= maxRecentBytes {
		maps.Copy(r.heads, heads)
		r.bytes += more // those that were there are counted again, which only clears earlier
	}
	maps.Copy(r.tenants, tenants)
}

// sizeOf returns how many bytes the texts of heads take.
func sizeOf(heads map[webhook.SubscriptionRef]webhook.Head) (n int) {
	for _, h := range heads {
		n += len(h.Filter)
		for _, t := range h.Types {
			n += len(t)
		}
		for _, c := range h.Cancels {
			n += len(c.Filter)
		}
	}
	return n
}
