package pattern

import (
	"context"
	"slices"
	"sync"
)

// An Index finds, for an event, the subscriptions whose types and pattern match, in time that follows how many
// could, not how many there are. ID names a subscription. The zero Index is empty and ready.
//
// Each subscription is filed under its most selective positive conditions: values that an event must have for it
// to match (one field for each combination of $or). An event looks up its own values there and so finds the
// candidates, each of which is then checked in full. A subscription without positive conditions is a candidate
// for every event.
//
// Any number of goroutines may call any methods at once. Match holds a read lock while it collects candidates,
// and none while it checks and yields them; Add and Remove hold the write lock for microseconds. A subscription
// that is replaced meanwhile is matched as it was when Match collected.
type Index[ID comparable] struct {
	mu      sync.RWMutex
	byID    map[ID]*entry[ID]
	entries []*entry[ID] // by slot; nil where free
	free    []int32      // free slots
	always  *bucket      // those without positive conditions
	root    *place       // names the places of the others
	weight  int          // see Weight
	scratch sync.Pool    // *candidates
}

// An entry is one subscription. Only filed changes after it is added, under the write lock.
type entry[ID comparable] struct {
	id      ID
	slot    int32
	types   []string
	pattern *Pattern
	filed   []filing
	weighs  int
}

// Len returns how many subscriptions the index holds.
func (x *Index[ID]) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.byID)
}

// Add files a subscription, in place of an earlier one of the same id. No types: every type that is not ours; no
// pattern (nil): every event of these types. The index keeps types.
func (x *Index[ID]) Add(id ID, types []string, p *Pattern) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byID == nil {
		x.byID, x.root, x.always = map[ID]*entry[ID]{}, &place{}, &bucket{}
	}
	x.remove(id)
	e := &entry[ID]{id: id, types: types, pattern: p}
	if n := len(x.free); n > 0 {
		e.slot, x.free = x.free[n-1], x.free[:n-1]
		x.entries[e.slot] = e
	} else {
		e.slot = int32(len(x.entries))
		x.entries = append(x.entries, e)
	}
	x.byID[id] = e
	e.filed = x.file(e)
	e.weighs = e.weight()
	x.weight += e.weighs
}

// Remove forgets a subscription and says whether there was one.
func (x *Index[ID]) Remove(id ID) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.remove(id)
}

func (x *Index[ID]) remove(id ID) bool {
	e, ok := x.byID[id]
	if !ok {
		return false
	}
	for _, f := range e.filed {
		f.remove(e.slot)
	}
	delete(x.byID, id)
	x.weight -= e.weighs
	x.entries[e.slot] = nil
	x.free = append(x.free, e.slot)
	return true
}

// Match calls yield for every subscription that the event matches, each once, in no order, until yield returns
// false. It returns how many candidates it checked. Yield may change the index.
func (x *Index[ID]) Match(e *Event, yield func(ID) bool) (checked int) {
	checked, _ = x.Judge(context.Background(), e, func(id ID, v Verdict) bool { return v != Yes || yield(id) })
	return checked
}

// Judge is Match, and calls yield with [Costly] for those of which it cannot be told whether the event matches them:
// see [FreeSteps]. It ends between two candidates when ctx does, with its error.
func (x *Index[ID]) Judge(ctx context.Context, e *Event, yield func(ID, Verdict) bool) (checked int, err error) {
	pool := PoolSteps
	for _, c := range x.candidates(e) {
		if err := ctx.Err(); err != nil {
			return checked, err
		}
		checked++
		verdict := No
		if TypesMatch(c.types, e.typ) {
			verdict = c.pattern.share(e, &pool)
		}
		if verdict != No && !yield(c.id, verdict) {
			break
		}
	}
	return checked, nil
}

// share is Judge with what is free, and what is taken from the pool.
func (p *Pattern) share(e *Event, pool *int) Verdict {
	if p == nil {
		return Yes
	}
	most := min(MaxSteps, FreeSteps+*pool)
	verdict, left := p.judge(e, most)
	*pool -= max(0, most-max(left, 0)-FreeSteps)
	return verdict
}

// candidates returns the subscriptions of which a value in the event meets a condition.
func (x *Index[ID]) candidates(e *Event) []*entry[ID] {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.root == nil {
		return nil
	}
	c, _ := x.scratch.Get().(*candidates)
	if c == nil {
		c = &candidates{}
	}
	defer x.scratch.Put(c)
	c.begin(len(x.entries))
	c.take(x.always)
	c.visit(&e.tree, x.root, e.root)
	if c.left < 0 {
		return slices.DeleteFunc(slices.Clone(x.entries), func(e *entry[ID]) bool { return e == nil })
	}
	found := make([]*entry[ID], len(c.slots))
	for i, slot := range c.slots {
		found[i] = x.entries[slot]
	}
	return found
}

// Candidates are what one event has found so far.
type candidates struct {
	slots []int32
	left  int // steps; below zero the look-up is given up
	round uint32
	seen  []uint32         // by slot: the last round that found it
	taken map[*bucket]bool // long buckets taken in this round
}

// begin forgets what was found.
func (c *candidates) begin(slots int) {
	c.slots, c.left = c.slots[:0], findSteps
	clear(c.taken)
	if len(c.seen) < slots {
		c.seen = slices.Grow(c.seen, slots-len(c.seen))[:slots]
	}
	if c.round++; c.round == 0 {
		clear(c.seen)
		c.round = 1
	}
}

func (c *candidates) add(slot int32) {
	c.left--
	if c.seen[slot] != c.round {
		c.seen[slot] = c.round
		c.slots = append(c.slots, slot)
	}
}

// take adds a bucket, once: a value may stand in an event a thousand times.
func (c *candidates) take(b *bucket) {
	if b == nil {
		return
	}
	if len(b.slots) > 8 {
		if c.taken[b] {
			return
		}
		if c.taken == nil {
			c.taken = map[*bucket]bool{}
		}
		c.taken[b] = true
	}
	for _, slot := range b.slots {
		c.add(slot)
	}
}

// visit looks up the values of n, which is at the given place.
func (c *candidates) visit(t *tree, at *place, n int32) {
	v := &t.nodes[n]
	if c.left--; c.left < 0 {
		return
	}
	switch v.kind {
	case Array:
		for _, k := range t.members(n) {
			c.visit(t, at, k.node)
		}
	case Object:
		if len(at.kids) == 0 {
			return
		}
		for _, k := range t.members(n) {
			if below := at.kids[k.name]; below != nil {
				c.visit(t, below, k.node)
			}
		}
	default:
		if at.values != nil {
			at.values.find(c, v)
		}
	}
}
