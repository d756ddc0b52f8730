package localdb

import (
	"errors"
	"fmt"
	"os"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/postino/postino/shared/webhook"
)

// conn is one SQLite connection with its prepared statements. One goroutine
// uses it at a time.
type conn struct {
	*sqlite.Conn
	prepared  map[string]*statement
	tx        Tx // reused: there is one at a time
	beginRead *sqlite.Stmt
	begin     *sqlite.Stmt
	commit    *sqlite.Stmt
	rollback  *sqlite.Stmt
	rows      int64 // that its queries have returned
}

// Settings of the writer: commits leave the sync to [syncer], checkpoints to
// [checkpointer]. NORMAL makes checkpoints themselves safe.
//
// The cache is small, 4 MiB, because a commit may look at all of it: whenever a
// B-tree was balanced with its pages out of order, SQLite takes a page number
// beyond the end of the file for a moment, and then searches the cache for pages
// to drop there. With 32 MiB that was a fifth of the server's processor time.
// What the cache does not have, the system's does.
const writerSettings = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA wal_autocheckpoint = 0;
PRAGMA cache_size = -4096;
PRAGMA temp_store = MEMORY;`

// Readers forget their cache whenever something was written, so it serves one
// read.
const readerSettings = `
PRAGMA query_only = ON;
PRAGMA wal_autocheckpoint = 0;
PRAGMA cache_size = -2048;
PRAGMA temp_store = MEMORY;`

// busyTimeout is how long a statement waits for another connection's lock:
// only for a checkpoint, or somebody's sqlite3 shell.
const busyTimeout = 5 * time.Second

func openWriter(path string) (*conn, error) { return openConn(path, writerSettings) }
func openReader(path string) (*conn, error) { return openConn(path, readerSettings) }

func openConn(path, settings string) (*conn, error) {
	opened, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: opened, prepared: map[string]*statement{}}
	c.SetBusyTimeout(busyTimeout)
	if err := c.run(settings); err != nil {
		return nil, errors.Join(err, c.close())
	}
	for stmt, text := range map[**sqlite.Stmt]string{
		&c.beginRead: "BEGIN", &c.begin: "BEGIN IMMEDIATE", &c.commit: "COMMIT", &c.rollback: "ROLLBACK",
	} {
		if *stmt, err = c.Prepare(text); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

// createPrivate creates an empty file that only its owner can read, unless
// there is one.
func createPrivate(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err // never open it outside SQLite: closing it would drop SQLite's locks
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.prepared {
		errs = append(errs, s.stmt.Finalize())
	}
	return errors.Join(append(errs, c.Conn.Close())...)
}

// run executes statements without arguments, separated by semicolons.
func (c *conn) run(script string) error {
	for script = trimSpace(script); script != ""; {
		stmt, trailing, err := c.PrepareTransient(script)
		if err != nil {
			return fault(err)
		}
		err = stepToEnd(stmt)
		if err := errors.Join(err, stmt.Finalize()); err != nil {
			return fault(err)
		}
		script = trimSpace(script[len(script)-trailing:])
	}
	return nil
}

// step runs a statement that returns no row.
func step(stmt *sqlite.Stmt) error {
	_, err := stmt.Step()
	return errors.Join(err, stmt.Reset())
}

func stepToEnd(stmt *sqlite.Stmt) error {
	for {
		if more, err := stmt.Step(); !more || err != nil {
			return err
		}
	}
}

// maxCheck bounds the time that Open spends looking for damage: what lies in
// the pages not reached is found when they are used.
const maxCheck = 2 * time.Second

// check looks for damage.
func (c *conn) check() error {
	timeout := make(chan struct{})
	timer := time.AfterFunc(maxCheck, func() { close(timeout) })
	defer timer.Stop()
	defer c.SetInterrupt(c.SetInterrupt(timeout))
	stmt, _, err := c.PrepareTransient("PRAGMA quick_check(1)")
	if err != nil {
		return damaged(err)
	}
	defer stmt.Finalize()
	_, err = stmt.Step()
	if sqlite.ErrCode(err) == sqlite.ResultInterrupt {
		return nil
	}
	if err != nil {
		return damaged(err)
	}
	if found := stmt.ColumnText(0); found != "ok" {
		return damaged(errors.New(found))
	}
	return nil
}

func damaged(err error) error {
	return fmt.Errorf("the file is damaged, restore a copy or move it away: %w", err)
}

// fault makes those errors of SQLite that pass when the disk has room, or
// answers, again [webhook.ErrBusy].
func fault(err error) error {
	if err == nil {
		return nil
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull, sqlite.ResultIOErr, sqlite.ResultReadOnly, sqlite.ResultCantOpen, sqlite.ResultBusy:
		return fmt.Errorf("%w: %w", webhook.ErrBusy, err)
	}
	return err
}
