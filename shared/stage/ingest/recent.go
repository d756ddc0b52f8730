package ingest

import (
	"context"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/postino/postino/shared/api/publication"
	"github.com/postino/postino/shared/webhook"
)

// What a process remembers of ids that publishers chose: about 5 MB, for an
// hour or two. To look into the store at each publication would cost more than
// the answer is worth, so a repeat that comes later, or to another process, is
// dropped without being told of.
const (
	maxRecent = 60_000
	recentFor = time.Hour
)

// recent remembers identities, in two generations. The zero value knows none.
type recent struct {
	mu   sync.Mutex
	seed maphash.Seed
	born time.Time // of the young
	// When an identity was accepted, by its hash.
	young, old map[uint64]time.Time
}

type identity struct{ tenant, source, id string }

// note remembers an identity and returns when it was accepted before; zero if
// that is not known.
func (r *recent) note(e webhook.Event) (before time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.young == nil || len(r.young) >= maxRecent || e.AcceptedAt.Sub(r.born).Abs() >= recentFor {
		if r.young == nil {
			r.seed = maphash.MakeSeed()
		}
		r.old, r.young, r.born = r.young, map[uint64]time.Time{}, e.AcceptedAt
	}
	name := maphash.Comparable(r.seed, identity{e.Tenant, e.Source, e.ID})
	before, known := r.young[name]
	if !known {
		before = r.old[name]
	}
	if before.IsZero() {
		r.young[name] = e.AcceptedAt
	}
	return before
}

// forget remembers an identity as of now only.
func (r *recent) forget(e webhook.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := maphash.Comparable(r.seed, identity{e.Tenant, e.Source, e.ID})
	delete(r.old, name)
	r.young[name] = e.AcceptedAt
}

// duplicates notes what was accepted, and names the events of which it is known
// that they were accepted before.
func (h *Handler) duplicates(ctx context.Context, p publication.Publication) (ids []string) {
	var gone webhook.Deletion
	asked := false
	for i, e := range p.Events {
		if slices.Contains(p.Repeats, i) {
			ids = append(ids, e.ID)
			continue
		}
		if h.Records == nil || !p.Repeatable(i) {
			continue
		}
		before := h.recent.note(e)
		if before.IsZero() {
			continue
		}
		if !asked {
			state, err := h.Records.TenantState(ctx, e.Tenant)
			if err != nil {
				return ids // what was accepted is; this was only to be told
			}
			gone, asked = state.Deletion, true
		}
		if gone.Removes(before) {
			h.recent.forget(e) // it went with its tenant
			continue
		}
		ids = append(ids, e.ID)
	}
	return ids
}
