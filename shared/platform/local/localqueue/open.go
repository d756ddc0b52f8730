package localqueue

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/postino/postino/shared/platform/local/engine"
)

// epochShift makes ids of the epoch, which counts the starts, and a number: so no
// id is ever given twice, and ids tell what an earlier process left.
const epochShift = 36

// openRows counts the start and makes everything that an earlier process had in
// memory spilled.
func openRows(ctx context.Context, db *engine.DB) (epoch int64, err error) {
	err = db.Write(ctx, engine.Durable, func(tx *engine.Tx) (err error) {
		epoch, err = countUp(tx, epochKey)
		return err
	})
	if err != nil {
		return 0, err
	}
	for next := freshKey(0); next != nil; {
		if next, err = spillFresh(ctx, db, next); err != nil {
			return 0, err
		}
	}
	return epoch, nil
}

// countUp adds one to a number.
func countUp(tx *engine.Tx, key []byte) (int64, error) {
	value, err := tx.Get(key)
	if err != nil {
		return 0, err
	}
	n := int64(1)
	if len(value) == numberSize {
		n += int64(binary.BigEndian.Uint64(value))
	}
	tx.Set(key, numbered("", n))
	return n, nil
}

const moveBytes = 1 << 20 // of bodies in one write

// spillFresh moves fresh messages from a key on, as many as one write takes, and
// returns where the next begin; nil at the end.
func spillFresh(ctx context.Context, db *engine.DB, from []byte) (next []byte, err error) {
	type fresh struct{ key, value []byte }
	var rows []fresh
	size := 0
	err = db.Scan(engine.Span{From: from, To: []byte("qg")}, func(key, value []byte) (bool, error) {
		rows = append(rows, fresh{append([]byte(nil), key...), append([]byte(nil), value...)})
		size += len(value)
		return size < moveBytes, nil
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	err = db.Write(ctx, engine.Ordered, func(tx *engine.Tx) error {
		for _, r := range rows {
			number, group, body, err := readFresh(r.value)
			if err != nil {
				return err
			}
			id := int64(binary.BigEndian.Uint64(r.key[2:]))
			q := &Queue{number: number}
			tx.DeleteOnce(r.key)
			tx.Set(bodyKey(id), body)
			tx.Set(q.placed(group, &entry{id: id, due: placedSpilled}))
		}
		return nil
	})
	return append(rows[len(rows)-1].key, 0), err
}

// open finds the queue's number, and what waits in it.
func (q *Queue) open(ctx context.Context) error {
	err := q.set.db.Write(ctx, engine.Durable, func(tx *engine.Tx) error {
		value, err := tx.Get(nameKey(q.name))
		if err != nil {
			return err
		}
		if len(value) == numberSize {
			q.number = int64(binary.BigEndian.Uint64(value))
			return nil
		}
		if q.number, err = countUp(tx, numberKey); err == nil {
			tx.Set(nameKey(q.name), numbered("", q.number))
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := q.hurry(ctx); err != nil {
		return err
	}
	return q.count()
}

// hurry brings messages forward that are due later than any delay can end: the
// clock was set back meanwhile.
func (q *Queue) hurry(ctx context.Context) error {
	latest := q.set.now().Add(max(q.config.Visibility, maxDelay)).UnixMilli()
	for {
		late, err := q.delayedBehind(due{at: latest + 1}, never, loadRows)
		if err != nil || len(late) == 0 {
			return err
		}
		err = q.set.db.Write(ctx, engine.Ordered, func(tx *engine.Tx) error {
			for _, r := range late {
				tx.Delete(q.delayedKey(r.due))
				tx.Set(q.placed(r.group, &entry{id: r.id, due: latest, received: r.received}))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// count reads how much waits, by group, and what is due next.
func (q *Queue) count() error {
	err := q.set.db.Scan(q.spilledRows(), func(key, _ []byte) (bool, error) {
		name, _, err := readSpilled(key)
		if err != nil {
			return false, err
		}
		g := q.group(name)
		g.addSpilled(1)
		q.total++
		q.enlist(g)
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("count waiting messages: %w", err)
	}
	return q.set.db.Scan(q.delayedRows(due{}), func(key, _ []byte) (bool, error) {
		at, err := readDelayed(key)
		q.total++
		q.nextDue = min(q.nextDue, at.at)
		return err == nil, err
	})
}
