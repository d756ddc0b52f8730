package localqueue

// owner is one owner's part of a queue: groups that take turns among
// themselves whenever it is the owner's turn. The set's lock is held in its
// methods.
type owner struct {
	queue *Queue
	name  string

	groups  int          // that are known
	turns   ring[*group] // with something to hand out
	listed  bool         // in queue.turns
	waiting int          // messages neither delayed nor handed out
	running int          // handlers
	held    int          // bytes in memory
	ready   int          // messages in memory, not handed out
	pace    pace         // at which its messages are done
	loads   int          // groups waiting to be read back
}

// owner returns the owner of this name.
func (q *Queue) owner(name string) *owner {
	o := q.owners[name]
	if o == nil {
		o = &owner{queue: q, name: name}
		q.owners[name] = o
	}
	return o
}

// tidyOwner drops an owner that has nothing left.
func (q *Queue) tidyOwner(o *owner) {
	if o.groups == 0 && o.held == 0 && !o.listed {
		delete(q.owners, o.name)
	}
}

// hold counts bytes that came into memory, or left it.
func (o *owner) hold(n int) {
	set := o.queue.set
	o.held += n
	set.memory += n
	if set.byOwner[o.name] += n; set.byOwner[o.name] == 0 {
		delete(set.byOwner, o.name)
	}
}

// hasRoom reports whether so many bytes more may be in memory: one owner has
// half of it, in all queues together.
func (o *owner) hasRoom(n int) bool {
	set := o.queue.set
	return set.memory+n <= set.limit && set.byOwner[o.name]+n <= set.limit/2
}

// nextTurn returns the first group in turn that may take part, of the first
// owner in turn that may; the turn of both is over with that. It is nil if
// there is none now.
func (q *Queue) nextTurn(may func(*group) bool, mayOwner func(*owner) bool) *group {
	for range q.turns.n {
		o := q.turns.pop()
		var g *group
		if mayOwner(o) {
			g = o.nextTurn(may)
		}
		if o.turns.n > 0 {
			q.turns.push(o)
		} else {
			o.listed = false
			q.tidyOwner(o)
		}
		if g != nil {
			return g
		}
	}
	return nil
}

// nextTurn returns the owner's first group in turn that may take part. Groups
// that must read back first get their turn when they have.
func (o *owner) nextTurn(may func(*group) bool) *group {
	q := o.queue
	for range o.turns.n {
		g := o.turns.pop()
		asked := g.spilled > 0 && len(g.ready) < lowWater && q.readBack(g)
		switch {
		case len(g.ready) == 0 && g.spilled > 0 && !asked:
			o.turns.push(g) // until there is room
		case len(g.ready) == 0:
			g.listed = false // readBack's end lists it again
			q.tidy(g)
		case !may(g):
			o.turns.push(g)
		default:
			g.listed = false
			return g
		}
	}
	return nil
}

// lowWater is when a group's spilled messages are read back, so that the next
// are there before the last are handed out.
const lowWater = 32
