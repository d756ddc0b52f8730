package localqueue

import (
	"context"
	"math"
	"time"

	"github.com/postino/postino/shared/platform/local/engine"
)

const (
	loadRows   = 256     // delayed messages read at a time
	loadGroup  = 64      // spilled messages of one group read at a time
	loadGroups = 16      // groups read together, half of them of one owner
	loadBytes  = 1 << 20 // of either, and at least one message
)

// readBack asks for the next spilled messages of the group and reports whether
// they come, which they do not while many groups ask, or memory is full.
// The lock is held.
func (q *Queue) readBack(g *group) bool {
	if g.loading {
		return true
	}
	if len(q.loads) >= loadGroups || g.owner.loads >= loadGroups/2 || g.room() == 0 {
		return false
	}
	g.loading = true
	g.owner.loads++
	q.loads = append(q.loads, g)
	q.startLoading()
	return true
}

// room is how many messages of the group may be read back: while memory, or
// the owner's share of it, is full one, if it has no other, so that nobody waits
// for others' room.
func (g *group) room() int {
	if g.owner.hasRoom(1) {
		return loadGroup
	}
	return max(0, 1-len(g.ready))
}

func (q *Queue) startLoading() {
	if q.loading || q.set.closing {
		return
	}
	q.loading, q.gone = true, map[int64]struct{}{}
	go q.load()
}

// load reads what is due and what groups ask for until there is nothing more.
func (q *Queue) load() {
	q.set.mu.Lock()
	defer q.set.mu.Unlock()
	for l := q.nextLoad(); l != nil; l = q.nextLoad() {
		q.set.mu.Unlock()
		err := l.read()
		if err != nil {
			q.set.log.Error("read messages", "queue", q.name, "error", err)
			time.Sleep(retryWrite)
		}
		q.set.mu.Lock()
		q.loaded(l, err)
	}
	q.loading, q.gone = false, nil
	q.wake()
	q.releaseWaiters() // who waits only while this loads
	q.set.checkDrained()
}

// load is one read of several groups and of what is due.
type load struct {
	queue  *Queue
	groups []*groupLoad
	now    int64 // 0: nothing is due
	cursor due
	bytes  int   // of spilled messages to read, beside one of each group
	next   int64 // due time of the first row that was not read
	rows   []*loaded
}

type groupLoad struct {
	group *group
	after int64
	limit int
	end   bool // no more rows after these
	rows  []*loaded
}

// loaded is a row read.
type loaded struct {
	entry
	group string
	due   due // of a delayed message
}

// nextLoad decides what to read; nil is nothing.
func (q *Queue) nextLoad() *load {
	l := &load{queue: q, cursor: q.cursor, next: never}
	if now := q.set.now().UnixMilli(); q.nextDue <= now {
		l.now = now
	}
	if q.set.closing || l.now == 0 && len(q.loads) == 0 {
		return nil
	}
	l.bytes = min(loadBytes, q.set.limit-q.set.memory)
	clear(q.gone)
	q.lowered = never
	for _, g := range q.loads {
		g.lowered = never
		g.owner.loads = 0
		l.groups = append(l.groups, &groupLoad{group: g, after: g.after, limit: g.room()})
	}
	q.loads = nil
	return l
}

func (l *load) read() error {
	for _, g := range l.groups {
		if err := g.read(&l.bytes); err != nil {
			return err
		}
	}
	if l.now == 0 {
		return nil
	}
	return l.readDue()
}

// readDue reads the delayed messages after the cursor.
func (l *load) readDue() error {
	rows, err := l.queue.delayedBehind(l.cursor, l.now, loadRows)
	if err != nil {
		return err
	}
	bytes := 0
	for _, r := range rows {
		l.next = r.due.at
		if l.next > l.now || bytes > loadBytes {
			return nil
		}
		if r.body, err = l.queue.set.db.Get(bodyKey(r.id)); err != nil {
			return err
		}
		l.rows = append(l.rows, r)
		bytes += len(r.body)
	}
	if len(rows) < loadRows {
		l.next = never
	}
	return nil
}

// delayedBehind reads up to limit delayed messages behind a place, without their
// bodies: those that are due through a time, and the next one.
func (q *Queue) delayedBehind(place due, through int64, limit int) (rows []*loaded, err error) {
	err = q.set.db.Scan(q.delayedRows(place), func(key, value []byte) (bool, error) {
		at, err := readDelayed(key)
		if err != nil {
			return false, err
		}
		r := &loaded{entry: entry{id: at.id, due: at.at}, due: at}
		r.received, r.group, err = readReceipts(value)
		rows = append(rows, r)
		return len(rows) < limit && at.at <= through, err
	})
	return rows, err
}

// read reads messages while there is room for them, at least one.
func (g *groupLoad) read(room *int) error {
	rows, err := g.group.queue.spilledBehind(g.group.name, g.after, g.limit)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if len(g.rows) > 0 && *room <= 0 {
			return nil
		}
		if r.body, err = g.group.queue.set.db.Get(bodyKey(r.id)); err != nil {
			return err
		}
		g.rows = append(g.rows, r)
		*room -= r.size()
	}
	g.end = len(rows) < g.limit
	return nil
}

// spilledBehind reads up to limit spilled messages of a group behind an id,
// without their bodies.
func (q *Queue) spilledBehind(group string, id int64, limit int) (rows []*loaded, err error) {
	if limit <= 0 {
		return nil, nil
	}
	span := engine.Span{From: append(q.spilledKey(group, id), 0), To: q.spilledKey(group, math.MaxInt64)}
	err = q.set.db.Scan(span, func(key, value []byte) (bool, error) {
		r := &loaded{entry: entry{due: placedSpilled}, group: group}
		var err error
		if _, r.id, err = readSpilled(key); err == nil {
			r.received, _, err = readReceipts(value)
		}
		rows = append(rows, r)
		return len(rows) < limit, err
	})
	return rows, err
}

// loaded takes over what was read. The lock is held.
func (q *Queue) loaded(l *load, err error) {
	for _, g := range l.groups {
		g.group.loading = false
		if err == nil {
			q.loadedGroup(g)
		}
		q.enlist(g.group)
		q.tidy(g.group)
	}
	if l.now > 0 && err == nil {
		q.loadedDue(l)
	}
	q.wake()
}

func (q *Queue) loadedGroup(l *groupLoad) {
	g := l.group
	for _, r := range l.rows {
		if q.isKnown(r) {
			continue
		}
		g.addSpilled(-1)
		g.keep(&r.entry)
		g.push(&r.entry)
	}
	if n := len(l.rows); n > 0 {
		g.after = l.rows[n-1].id
	}
	undisturbed := g.lowered == never
	g.after = min(g.after, g.lowered)
	if l.end && undisturbed {
		g.addSpilled(-g.spilled)
	}
}

// isKnown reports whether the message is in memory, or has been dealt with since
// it was read, or before its body was.
func (q *Queue) isKnown(r *loaded) bool {
	_, gone := q.gone[r.id]
	return gone || q.inMemory[r.id] != nil || r.body == nil
}

func (q *Queue) loadedDue(l *load) {
	var spilled []*loaded
	for _, r := range l.rows {
		q.cursor = r.due
		if q.isKnown(r) {
			continue
		}
		g := q.group(r.group)
		if g.reserve(&r.entry) {
			g.push(&r.entry)
			continue
		}
		g.spilling++
		spilled = append(spilled, r)
	}
	q.nextDue = min(l.next, q.lowered)
	if q.lowered <= q.cursor.at {
		q.cursor = due{at: q.lowered}
	}
	q.spill(spilled)
}

// spill moves due rows for which there is no room to where their groups read
// them back from. The lock is released meanwhile.
func (q *Queue) spill(rows []*loaded) {
	if len(rows) == 0 {
		return
	}
	q.set.mu.Unlock()
	err := q.set.db.Write(context.Background(), engine.Ordered, func(tx *engine.Tx) error {
		for _, r := range rows {
			tx.Delete(q.delayedKey(r.due))
			tx.Set(q.placed(r.group, &entry{id: r.id, due: placedSpilled, received: r.received}))
		}
		return nil
	})
	if err != nil {
		q.set.log.Error("spill messages", "queue", q.name, "error", err)
		time.Sleep(retryWrite)
	}
	q.set.mu.Lock()
	for _, r := range rows {
		g := q.group(r.group)
		g.spilling--
		if err == nil {
			g.spill(r.id)
		} else {
			q.delayed(r.due.at)
			q.tidy(g)
		}
	}
}
