package localqueue

import "time"

// A consumer whose handlers send to another queue, one that is RedoneBy its own,
// waits while the other has enough of an owner's messages in memory, and handles
// them fast: what waits here is one message where there it is many, which memory
// might not hold. Who waits for a slow handler there waits for nothing here, since
// others of the owner may have none.
const (
	aheadMost   = 512                    // messages of an owner that wait there
	aheadWindow = 100 * time.Millisecond // in which those that are done are counted
	aheadTime   = 20                     // windows that they may take
)

// pace is how many of an owner's messages were done in the last windows.
type pace struct {
	begun     time.Time // of the window
	now, last int
}

// count notes that messages were done.
func (p *pace) count(n int, at time.Time) {
	p.turn(at)
	p.now += n
}

// turn begins another window when the last is over.
func (p *pace) turn(at time.Time) {
	switch passed := at.Sub(p.begun); {
	case passed < aheadWindow:
	case passed < 2*aheadWindow:
		p.begun, p.last, p.now = p.begun.Add(aheadWindow), p.now, 0
	default:
		p.begun, p.last, p.now = at, 0, 0
	}
}

// full reports whether an owner has enough in memory that is soon done. The lock
// is held.
func (q *Queue) full(owner string) bool {
	o := q.owners[owner]
	if o == nil || o.ready <= aheadMost {
		return false
	}
	o.pace.turn(time.Now())
	return o.ready <= aheadTime*max(o.pace.last, o.pace.now)
}

// ahead reports whether an owner's messages of this queue may go on. If not, the
// queue looks again soon. The lock is held.
func (q *Queue) ahead(owner string) bool {
	for _, other := range q.causing {
		if other.full(owner) {
			q.lookAgain()
			return false
		}
	}
	return true
}

// lookAgain wakes the queue in a while. The lock is held.
func (q *Queue) lookAgain() {
	if q.looking || q.set.closing {
		return
	}
	q.looking = true
	time.AfterFunc(aheadWindow/10, func() {
		q.set.mu.Lock()
		defer q.set.mu.Unlock()
		q.looking = false
		q.wake()
	})
}
