// Package weighed is a cache with a limit in bytes and a share for each owner,
// so that no owner evicts the others.
package weighed

import (
	"container/list"
	"sync"
)

// Overhead is what an entry takes beside its value: in the map, in two lists, and
// for a key of usual size.
const Overhead = 320

// Cache keeps values by key. Each has an owner, such as a tenant, and a weight in
// bytes, to which [Overhead] is added. While there is room, an owner may take any
// of it. When there is not, what goes first is the value that was unused for
// longest of an owner who has more than its share; and if nobody has, of all. A
// value that weighs more than a share is not kept. It is safe for concurrent use.
type Cache[K comparable, V any] struct {
	limit, share int
	dropped      func(V)

	mu     sync.Mutex
	kept   map[K]*entry[K, V]
	owners map[string]*owner
	above  map[*owner]bool // those with more than their share
	recent list.List       // of *entry, the one used last in front
	weight int
}

type entry[K comparable, V any] struct {
	key    K
	value  V
	owner  *owner
	weight int
	all    *list.Element // in recent
	own    *list.Element // in the owner's
}

type owner struct {
	name   string
	weight int
	recent list.List
}

// New makes a cache of at most limit bytes, of which an owner keeps share when
// others want the rest. dropped, if not nil, is called with each value that is
// pushed out or replaced, and must not call the cache.
func New[K comparable, V any](limit, share int, dropped func(V)) *Cache[K, V] {
	return &Cache[K, V]{
		limit: limit, share: share, dropped: dropped,
		kept: map[K]*entry[K, V]{}, owners: map[string]*owner{}, above: map[*owner]bool{},
	}
}

// Get returns the value of a key, which counts as a use of it.
func (c *Cache[K, V]) Get(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.kept[key]
	if !ok {
		return value, false
	}
	c.recent.MoveToFront(e.all)
	e.owner.recent.MoveToFront(e.own)
	return e.value, true
}

// Put keeps a value, in place of an earlier one of the same key, and makes room
// for it. It says whether the value was kept.
func (c *Cache[K, V]) Put(ownerName string, key K, value V, weight int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.kept[key]; ok {
		c.remove(e)
	}
	weight += Overhead
	if weight > c.share {
		return false
	}
	o := c.owners[ownerName]
	if o == nil {
		o = &owner{name: ownerName}
		c.owners[ownerName] = o
	}
	e := &entry[K, V]{key: key, value: value, owner: o}
	e.all, e.own = c.recent.PushFront(e), o.recent.PushFront(e)
	c.kept[key] = e
	c.add(e, weight)
	for c.weight > c.limit {
		c.remove(c.next())
	}
	return true
}

// next returns the entry that is to go first.
func (c *Cache[K, V]) next() *entry[K, V] {
	from := &c.recent
	for o := range c.above {
		from = &o.recent
		break
	}
	return from.Back().Value.(*entry[K, V])
}

func (c *Cache[K, V]) add(e *entry[K, V], weight int) {
	e.weight += weight
	e.owner.weight += weight
	c.weight += weight
	if e.owner.weight > c.share {
		c.above[e.owner] = true
	} else {
		delete(c.above, e.owner)
	}
}

func (c *Cache[K, V]) remove(e *entry[K, V]) {
	c.add(e, -e.weight)
	c.recent.Remove(e.all)
	e.owner.recent.Remove(e.own)
	delete(c.kept, e.key)
	if e.owner.recent.Len() == 0 {
		delete(c.owners, e.owner.name)
	}
	if c.dropped != nil {
		c.dropped(e.value)
	}
}

// Weight returns how many bytes the cache holds, by the weights it was given.
func (c *Cache[K, V]) Weight() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.weight
}

// Owned returns how many of them are an owner's.
func (c *Cache[K, V]) Owned(ownerName string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o := c.owners[ownerName]; o != nil {
		return o.weight
	}
	return 0
}
