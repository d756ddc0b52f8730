package egress

import (
	"container/list"
	"slices"
	"sync"
	"time"
)

// kept are idle connections. Of more than a number the one that is idle for longest
// is closed, and each when it has been idle for a time.
type kept struct {
	most int
	idle time.Duration

	mu        sync.Mutex
	byAddress map[string][]*list.Element // of all, in the order in which they became idle
	all       list.List                  // of *connection, likewise
	timer     *time.Timer                // nil while there is none to close
}

func newKept(most int, idle time.Duration) *kept {
	return &kept{most: most, idle: idle, byAddress: map[string][]*list.Element{}}
}

// take returns a connection to an address that the server has not closed; nil if
// there is none.
func (k *kept) take(address string) *connection {
	for {
		c := k.newest(address)
		if c == nil || c.sign.alive() {
			return c
		}
		_ = c.Close()
	}
}

// newest removes the connection that became idle last.
func (k *kept) newest(address string) *connection {
	k.mu.Lock()
	defer k.mu.Unlock()
	those := k.byAddress[address]
	if len(those) == 0 {
		return nil
	}
	return k.remove(those[len(those)-1])
}

// put keeps a connection.
func (k *kept) put(c *connection) {
	c.since = time.Now()
	for _, old := range k.add(c) {
		_ = old.Close()
	}
}

// add returns those for which there is no room any more.
func (k *kept) add(c *connection) (old []*connection) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.byAddress[c.address] = append(k.byAddress[c.address], k.all.PushBack(c))
	for k.all.Len() > k.most {
		old = append(old, k.remove(k.all.Front()))
	}
	if k.timer == nil {
		k.timer = time.AfterFunc(k.idle, k.expire)
	}
	return old
}

// remove removes one. The lock is held.
func (k *kept) remove(e *list.Element) *connection {
	c := k.all.Remove(e).(*connection)
	those := k.byAddress[c.address]
	i := slices.Index(those, e)
	if those = slices.Delete(those, i, i+1); len(those) > 0 {
		k.byAddress[c.address] = those
	} else {
		delete(k.byAddress, c.address)
	}
	return c
}

// expire closes those that have been idle for long enough.
func (k *kept) expire() { k.close(k.idle) }

// close closes those that have been idle for a time.
func (k *kept) close(idle time.Duration) {
	for _, c := range k.removeIdle(idle) {
		_ = c.Close()
	}
}

func (k *kept) removeIdle(idle time.Duration) (old []*connection) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	for e := k.all.Front(); e != nil; e = k.all.Front() {
		if wait := idle - now.Sub(e.Value.(*connection).since); wait > 0 {
			k.timer.Reset(wait)
			return old
		}
		old = append(old, k.remove(e))
	}
	if k.timer != nil {
		k.timer.Stop()
		k.timer = nil
	}
	return old
}
