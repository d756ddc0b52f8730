package localqueue

import (
	"context"
	"fmt"

	"github.com/postino/postino/shared/platform/local/localdb"
)

var tables = []string{`
CREATE TABLE localqueue_names (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE localqueue_epoch (one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL);
INSERT INTO localqueue_epoch VALUES (1, 0);
CREATE TABLE localqueue_messages (
	id       INTEGER PRIMARY KEY, -- the order of sending
	queue    INTEGER NOT NULL,    -- a number of localqueue_names
	place    INTEGER,             -- NULL in memory, 1 spilled, 2 delayed
	due      INTEGER,             -- Unix milliseconds, if delayed
	received INTEGER NOT NULL,
	grp      TEXT NOT NULL,
	body     BLOB NOT NULL);
CREATE INDEX localqueue_spilled ON localqueue_messages (queue, grp, id) WHERE place = 1;
CREATE INDEX localqueue_delayed ON localqueue_messages (queue, due, id) WHERE place = 2;`}

// The statements of a message's life.
const (
	insertMessage  = "INSERT INTO localqueue_messages (id, queue, place, due, received, grp, body) VALUES (?, ?, ?, ?, 0, ?, ?)"
	deleteMessage  = "DELETE FROM localqueue_messages WHERE id = ?"
	retryMessage   = "UPDATE localqueue_messages SET place = 2, due = ?, received = ? WHERE id = ?"
	spillMessage   = "UPDATE localqueue_messages SET place = 1, due = NULL WHERE id = ?"
	moveMessage    = "UPDATE localqueue_messages SET place = 1, due = NULL, received = 0, queue = ? WHERE id = ?"
	receiveMessage = "UPDATE localqueue_messages SET received = ? WHERE id = ?"

	selectSpilled = `SELECT id, received, body FROM localqueue_messages
		WHERE place = 1 AND queue = ? AND grp = ? AND id > ? ORDER BY id LIMIT ?`
	selectDueAt = `SELECT id, received, body, grp, due FROM localqueue_messages
		WHERE place = 2 AND queue = ? AND due = ? AND id > ? ORDER BY id LIMIT ?`
	selectDueAfter = `SELECT id, received, body, grp, due FROM localqueue_messages
		WHERE place = 2 AND queue = ? AND due > ? ORDER BY due, id LIMIT ?`
	countSpilled = "SELECT grp, count(*) FROM localqueue_messages WHERE place = 1 AND queue = ? GROUP BY grp"
	countDelayed = "SELECT count(*), min(due) FROM localqueue_messages WHERE place = 2 AND queue = ?"
)

const (
	// epochShift makes ids of the epoch, which counts the starts, and a number:
	// so no id is ever given twice, and ids tell what an earlier process left.
	epochShift = 36
)

// openTables counts the start and makes everything that an earlier process had
// in memory spilled.
func openTables(ctx context.Context, db *localdb.DB) (epoch int64, err error) {
	err = db.Write(ctx, localdb.Durable, func(tx *localdb.Tx) error {
		if _, err := tx.Exec("UPDATE localqueue_epoch SET epoch = epoch + 1"); err != nil {
			return err
		}
		if _, err := tx.Exec("UPDATE localqueue_messages SET place = 1 WHERE place IS NULL"); err != nil {
			return err
		}
		return tx.Query("SELECT epoch FROM localqueue_epoch", nil, func(row *localdb.Row) error {
			epoch = row.Int64(0)
			return nil
		})
	})
	return epoch, err
}

// open finds the queue's number, and what waits in it.
func (q *Queue) open(ctx context.Context) error {
	latest := q.set.now().Add(max(q.config.Visibility, maxDelay)).UnixMilli()
	err := q.set.db.Write(ctx, localdb.Durable, func(tx *localdb.Tx) error {
		if _, err := tx.Exec("INSERT INTO localqueue_names (name) VALUES (?) ON CONFLICT DO NOTHING", q.name); err != nil {
			return err
		}
		err := tx.Query("SELECT number FROM localqueue_names WHERE name = ?", []any{q.name}, func(row *localdb.Row) error {
			q.number = row.Int64(0)
			return nil
		})
		if err != nil {
			return err
		}
		// Later than any delay can end: the clock was set back meanwhile.
		_, err = tx.Exec("UPDATE localqueue_messages SET due = ? WHERE place = 2 AND queue = ? AND due > ?", latest, q.number, latest)
		return err
	})
	if err != nil {
		return err
	}
	return q.set.db.Read(ctx, q.count)
}

// count reads how much waits, by group, and what is due next.
func (q *Queue) count(tx *localdb.Tx) error {
	args := []any{q.number}
	err := tx.Query(countSpilled, args,
		func(row *localdb.Row) error {
			g := q.group(row.Text(0))
			g.addSpilled(int(row.Int64(1)))
			q.total += g.spilled
			q.enlist(g)
			return nil
		})
	if err != nil {
		return fmt.Errorf("count waiting messages: %w", err)
	}
	return tx.Query(countDelayed, args,
		func(row *localdb.Row) error {
			q.total += int(row.Int64(0))
			if !row.IsNull(1) {
				q.nextDue = row.Int64(1)
			}
			return nil
		})
}
