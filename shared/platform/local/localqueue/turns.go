package localqueue

import "github.com/postino/postino/shared/queue"

// entry is a message in memory.
type entry struct {
	id       int64
	group    *group
	body     []byte
	due      int64  // where its row is: [placedInMemory], [placedSpilled], or when it is due
	received int    // receipts so far
	receipt  string // of the current one; "" when not handed out by Receive
	cause    *cause // of a message in memory alone; nil for others
}

// message is the entry as a receiver sees it.
func (e *entry) message() queue.Message {
	return queue.Message{Body: e.body, Group: e.group.name, ID: idText(e.id), Receipt: e.receipt, Received: e.received}
}

// overhead is about what an entry costs beside its body.
const overhead = 250

func (e *entry) size() int { return len(e.body) + overhead }

// strip drops the body, which nobody needs any more.
func (e *entry) strip() {
	e.group.owner.hold(-len(e.body))
	e.body = nil
}

// group is one group's part of a queue. The set's lock is held in its methods.
type group struct {
	queue *Queue
	name  string
	owner *owner

	ready    []*entry // in memory and not handed out, oldest first
	reserved int      // ready ones and those being sent
	running  int      // handlers
	listed   bool     // in owner.turns

	spilled  int   // rows to be read back
	spilling int   // rows being sent that are going to be spilled
	after    int64 // rows to be read back have greater ids
	lowered  int64 // least value that after should have got during a load
	loading  bool
}

// group returns the group of this name.
func (q *Queue) group(name string) *group {
	g := q.groups[name]
	if g == nil {
		g = &group{queue: q, name: name, owner: q.owner(queue.Owner(name))}
		g.owner.groups++
		q.groups[name] = g
	}
	return g
}

// tidy drops a group that has nothing left.
func (q *Queue) tidy(g *group) {
	if g.reserved == 0 && g.running == 0 && g.spilled == 0 && g.spilling == 0 && !g.loading && !g.listed && q.groups[g.name] == g {
		delete(q.groups, g.name)
		g.owner.groups--
		q.tidyOwner(g.owner)
	}
}

// reserve reports whether the entry may be in memory, and counts it: when its
// group has no older ones on disk, there is room, and somebody reads the queue.
func (g *group) reserve(e *entry) bool {
	if g.spilled+g.spilling > 0 || g.reserved >= groupMessages || !g.owner.hasRoom(e.size()) || !g.queue.read {
		return false
	}
	g.keep(e)
	return true
}

func (g *group) keep(e *entry) {
	g.reserved++
	g.owner.waiting++
	g.owner.hold(e.size())
}

func (g *group) unreserve(e *entry) {
	g.reserved--
	g.owner.waiting--
	g.owner.hold(-e.size())
}

// push makes an entry that was reserved receivable.
func (g *group) push(e *entry) {
	e.group = g
	g.queue.inMemory[e.id] = e
	g.ready = append(g.ready, e)
	g.queue.ready++
	g.owner.ready++
	g.queue.enlist(g)
}

// spill notes that the row id of the group is to be read back.
func (g *group) spill(id int64) {
	g.addSpilled(1)
	g.after = min(g.after, id-1)
	g.lowered = min(g.lowered, id-1)
	g.queue.enlist(g)
}

// addSpilled counts; below zero while a load was faster than the sender's
// count.
func (g *group) addSpilled(n int) {
	g.spilled += n
	g.owner.waiting += n
	g.queue.spilled += n
}

// enlist gives the group a turn if it has something to hand out.
func (q *Queue) enlist(g *group) {
	if g.listed || len(g.ready) == 0 && g.spilled <= 0 {
		return
	}
	g.listed = true
	g.owner.turns.push(g)
	if !g.owner.listed {
		g.owner.listed = true
		q.turns.push(g.owner)
	}
}

// take hands out up to limit entries of up to maxBytes, at least one, from the
// group. The entries are counted in memory until their outcome is written.
func (g *group) take(limit, maxBytes int) []*entry {
	n, bytes := 0, 0
	for n < min(limit, len(g.ready)) {
		if bytes += len(g.ready[n].body); n > 0 && bytes > maxBytes {
			break
		}
		n++
	}
	taken := append([]*entry(nil), g.ready[:n]...)
	clear(g.ready[:n])
	if g.ready = g.ready[n:]; len(g.ready) == 0 {
		g.ready = nil
	}
	g.reserved -= n
	g.owner.waiting -= n
	g.queue.ready -= n
	g.owner.ready -= n
	for _, e := range taken {
		e.received++
	}
	return taken
}
