package engine

import (
	"encoding/binary"
	"runtime"
)

// writer runs the calls until the store closes.
func (db *DB) writer() {
	defer close(db.stopped)
	var group []*call
	for range db.wake {
		for {
			runtime.Gosched() // whoever is ready to write gets into this group
			var closing bool
			if group, closing = db.takeGroup(group[:0]); len(group) == 0 {
				if closing {
					return
				}
				break
			}
			db.runGroup(group)
			clear(group)
		}
	}
}

// takeGroup moves calls that wait to group: those that somebody waits for, and
// as many of the background, so that neither falls behind the other; but a few
// of it at least.
func (db *DB) takeGroup(group []*call) (_ []*call, closing bool) {
	db.mu.Lock()
	defer db.mu.Unlock()
	group = take(&db.waiting[0], group, maxGroup/2)
	group = take(&db.waiting[1], group, len(group)+max(background, len(group)))
	return group, db.closing
}

// take moves calls from a lane to group until that has limit calls.
func take(lane *[]*call, group []*call, limit int) []*call {
	waiting, taken := *lane, 0
	for ; taken < len(waiting) && len(group) < limit; taken++ {
		if c := waiting[taken]; c.take() {
			group = append(group, c)
		}
	}
	rest := copy(waiting, waiting[taken:])
	clear(waiting[rest:])
	*lane = waiting[:rest]
	return group
}

// runGroup writes the work of all calls of the group, in one record or a few,
// and lets the callers go on.
func (db *DB) runGroup(group []*call) {
	defer db.busy.begin()()
	for len(group) > 0 {
		n, err := len(group), db.unwell()
		if err == nil {
			n, err = db.record(group)
			db.note(err)
		}
		for _, c := range group[:n] {
			db.finish(c, err)
		}
		group = group[n:]
	}
	db.nextSegment()
}

// finish lets a caller go on, or the syncer if the disk is waited for.
func (db *DB) finish(c *call, err error) {
	if err != nil {
		c.err = err
	}
	if c.durability == Durable && c.err == nil {
		c.committed <- struct{}{}
		db.syncs.add(c)
		return
	}
	c.done <- struct{}{}
}

// note keeps the error of a group, nil for none, until the next.
func (db *DB) note(err error) {
	if err != nil {
		db.failure.Store(&err)
	} else if db.failure.Load() != nil {
		db.failure.Store(nil)
	}
}

// record runs calls and writes their work as one record of the log. It returns
// how many it ran. Its error is that of all of them; the error of one stays in
// it.
func (db *DB) record(group []*call) (n int, err error) {
	batch := db.tables.NewBatch()
	defer batch.Close()
	defer clear(db.tx.pending)
	for n < len(group) && batch.Len() < maxRecord {
		c := group[n]
		if c.run(&db.tx); c.err == nil {
			c.err = db.tx.keep(batch)
		}
		db.tx.reset()
		n++
	}
	if batch.Empty() {
		return n, nil
	}
	if err := batch.Set(appliedKey, binary.BigEndian.AppendUint64(nil, db.log.next)); err != nil {
		return n, err
	}
	if err := db.log.append(batch.Bytes()); err != nil {
		return n, err
	}
	return n, db.tables.Apply(batch)
}

// nextSegment lets the log go on in another file when this one is full. What the
// full one has goes into the tables, after which it is used again.
func (db *DB) nextSegment() {
	if !db.log.full() || db.unwell() != nil {
		return
	}
	last, err := db.log.rotate()
	if err != nil {
		return // it goes on in the same file, and tries again
	}
	flushed, err := db.tables.Flush()
	if err != nil {
		return // with the next one
	}
	db.flushes.Go(func() {
		select {
		case <-flushed:
			db.log.release(last)
		case <-db.disk.closing:
		}
	})
}

// flushAll puts everything into the tables, if the disk takes it, so that the log
// is empty.
func (db *DB) flushAll() {
	if db.unwell() != nil {
		return
	}
	flushed, err := db.tables.Flush()
	if err != nil {
		return
	}
	if db.disk.waitFor(flushed) {
		db.log.release(db.log.current())
	}
}
