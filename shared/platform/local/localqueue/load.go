package localqueue

import (
	"context"
	"errors"
	"time"

	"github.com/postino/postino/shared/platform/local/localdb"
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
		err := q.set.db.Read(context.Background(), l.read)
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
	due   due
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

var errEnough = errors.New("enough read")

func (l *load) read(tx *localdb.Tx) error {
	for _, g := range l.groups {
		if err := g.read(tx, &l.bytes); err != nil {
			return err
		}
	}
	if l.now == 0 {
		return nil
	}
	return l.readDue(tx)
}

// readDue reads the delayed rows after the cursor: the rest of those due at
// the same time, then later ones.
func (l *load) readDue(tx *localdb.Tx) error {
	bytes := 0
	add := func(row *localdb.Row) error {
		l.next = row.Int64(4)
		if l.next > l.now || bytes > loadBytes {
			return errEnough
		}
		r := &loaded{entry: entryOf(row), group: row.Text(3), due: due{at: l.next, id: row.Int64(0)}}
		l.rows = append(l.rows, r)
		bytes += len(r.body)
		return nil
	}
	err := tx.Query(selectDueAt, []any{l.queue.number, l.cursor.at, l.cursor.id, loadRows}, add)
	if err == nil && len(l.rows) < loadRows {
		err = tx.Query(selectDueAfter, []any{l.queue.number, l.cursor.at, loadRows - len(l.rows)}, add)
	}
	if err == nil && len(l.rows) < loadRows {
		l.next = never
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// read reads messages while there is room for them, at least one.
func (g *groupLoad) read(tx *localdb.Tx, room *int) error {
	args := []any{g.group.queue.number, g.group.name, g.after, g.limit}
	err := tx.Query(selectSpilled, args, func(row *localdb.Row) error {
		if len(g.rows) > 0 && *room <= 0 {
			return errEnough
		}
		r := &loaded{entry: entryOf(row)}
		g.rows = append(g.rows, r)
		*room -= r.size()
		return nil
	})
	g.end = err == nil && len(g.rows) < g.limit
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func entryOf(row *localdb.Row) entry {
	return entry{id: row.Int64(0), received: int(row.Int64(1)), body: row.Bytes(2)}
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
		if q.isKnown(r.id) {
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

// isKnown reports whether the row is in memory, or has been dealt with since
// it was read.
func (q *Queue) isKnown(id int64) bool {
	_, gone := q.gone[id]
	return gone || q.inMemory[id] != nil
}

func (q *Queue) loadedDue(l *load) {
	var spilled []*loaded
	for _, r := range l.rows {
		q.cursor = r.due
		if q.isKnown(r.id) {
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
	err := q.set.db.Write(context.Background(), localdb.Ordered, func(tx *localdb.Tx) error {
		for _, r := range rows {
			if _, err := tx.Exec(spillMessage, r.id); err != nil {
				return err
			}
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
