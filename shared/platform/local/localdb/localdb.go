// Package localdb is the SQLite file of local mode. It contains the tables of
// all packages, and commits the writes of many callers together.
//
// One goroutine writes. It takes all calls of [DB.Write] that wait, runs them in one transaction and commits; another
// syncs the write-ahead log to the disk and then lets the durable ones return. Commits reach the disk in their order,
// so after a power cut the file is a prefix of history; a killed process loses nothing that was committed. Reads run
// beside the writer, on connections of their own.
//
// The file is plain SQLite in WAL mode and can be read with sqlite3 meanwhile. While the log is large, a checkpoint
// copies it into the file beside the writer; only the last few pages, and the log's restart, hold writers up.
package localdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postino/postino/shared/webhook"
)

const (
	fileName = "postino.db"
	lockName = "postino.lock"

	// MaxWaiting is how many calls of Write may wait for their transaction;
	// further ones are refused with [webhook.ErrBusy].
	MaxWaiting = 16384

	maxGroup   = 512 // calls in one transaction: some 10 ms of work
	background = 8   // of them in the background, or as many as others: less than a millisecond
	maxReads   = 4   // connections that read at a time
)

// Durability says what a write waits for before it returns.
type Durability int

const (
	// Ordered waits until the work is committed: visible to every read that
	// begins then, safe from the death of the process, lost in a power cut
	// only together with everything after it.
	Ordered Durability = iota
	// Durable also waits until the disk has it.
	Durable
	// Background is Ordered for work that nobody waits for: of many such calls
	// only a few share a transaction, so that others get in between.
	Background
)

// DB is an open database. Its methods may be called concurrently.
type DB struct {
	path  string
	lock  *os.File
	write *conn      // of the writer goroutine
	log   *writeLog  // its write-ahead log
	reads chan *conn // idle ones; closed by Close

	readers int // connections of reads

	mu      sync.Mutex
	waiting [2][]*call // the second in the background
	closing bool
	wake    chan struct{} // holds a token while calls wait or closing
	stopped chan struct{} // closed when the writer has ended
	calls   sync.Pool

	busy        stopwatch             // of the writer
	failure     atomic.Pointer[error] // of the last transaction; nil for none
	syncs       *syncer
	checkpoints *checkpointer
}

// Open opens, or creates, the database postino.db in dir and the folder
// itself (0700). It refuses a folder that another process has open, and a
// file that is damaged, by an error that names it; what a crash or power cut
// leaves is repaired. In a testing/synctest bubble, call it inside.
func Open(dir string) (*DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(dir, lockName))
	if err != nil {
		return nil, err
	}
	db := &DB{path: filepath.Join(dir, fileName), lock: lock}
	if err := db.open(); err != nil {
		db.closeFiles()
		return nil, fmt.Errorf("open database %s: %w", db.path, err)
	}
	db.start()
	return db, nil
}

// open prepares the file and the connections.
func (db *DB) open() (err error) {
	if err := createPrivate(db.path); err != nil {
		return err
	}
	if db.write, err = openWriter(db.path); err != nil {
		return err
	}
	if err := db.write.check(); err != nil {
		return err
	}
	if err := db.write.run(migrationsTable); err != nil {
		return err
	}
	db.reads = make(chan *conn, maxReads)
	for ; db.readers < maxReads; db.readers++ {
		c, err := openReader(db.path)
		if err != nil {
			return err
		}
		db.reads <- c
	}
	db.log, err = openLog(db.path)
	return err
}

// start starts the goroutines.
func (db *DB) start() {
	db.calls.New = func() any { return &call{committed: make(chan struct{}, 1), done: make(chan struct{}, 1)} }
	db.wake = make(chan struct{}, 1)
	db.stopped = make(chan struct{})
	db.syncs = startSyncer(db.log)
	db.checkpoints = startCheckpointer(db.path)
	go db.writer()
}

// RowsRead counts the rows that reads have returned since the database was
// opened. It is exact while nothing reads. Tests hold with it how much a page
// of a list reads.
func (db *DB) RowsRead() (n int64) {
	held := make([]*conn, 0, db.readers)
	for range db.readers {
		c := <-db.reads
		held = append(held, c)
		n += c.rows
	}
	for _, c := range held {
		db.reads <- c
	}
	return n
}

// Write runs fn in a transaction, which it may share with other calls, and
// returns when the work is as durable as asked. An error of fn undoes what fn
// did, and only that, and is returned as it is. fn may run twice, after its
// first run was undone: it must set its results afresh each time, and must
// not call Write. It runs on the writer's goroutine: what needs no tx belongs
// outside.
//
// When ctx ends before fn has begun, nothing is written and its error is
// returned; when it ends while only the disk is waited for, [ErrUnsynced] is,
// and the work stands as after an Ordered write. [webhook.ErrBusy] says that nothing was written because too many
// calls wait, the database is closing, or the disk is full, read-only or
// failing. Only after a sync that failed may it have been written all the same.
func (db *DB) Write(ctx context.Context, durability Durability, fn func(tx *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := db.calls.Get().(*call)
	c.begin(durability, fn)
	if err := db.enqueue(c); err != nil {
		return err
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		if c.cancel() {
			return ctx.Err()
		}
		select {
		case <-c.done: // it runs: its outcome is what counts
		case <-c.committed:
			return c.unsynced(ctx)
		}
	}
	err, panicked := c.err, c.panicked
	c.end()
	db.calls.Put(c)
	if panicked != nil {
		panic(panicked)
	}
	return err
}

// ErrUnsynced says that a Durable write is committed, but that the disk did
// not take it within the time that the caller had.
var ErrUnsynced = errors.New("the disk has not taken the write yet")

// Failed returns why the last transaction could not be written, or the error of
// a sync, after which nothing is until the database is opened anew; nil while
// all is well.
func (db *DB) Failed() error {
	if err := db.syncs.failed(); err != nil {
		return err
	}
	if err := db.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Stalled returns for how long the disk has not let a commit or a sync end; 0
// while nothing is written.
func (db *DB) Stalled() time.Duration { return max(db.busy.running(), db.syncs.busy.running()) }

// enqueue adds the call to those that wait.
func (db *DB) enqueue(c *call) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closing {
		return fmt.Errorf("database is closed: %w", webhook.ErrBusy)
	}
	if len(db.waiting[0])+len(db.waiting[1]) >= MaxWaiting {
		return fmt.Errorf("%d writes wait: %w", MaxWaiting, webhook.ErrBusy)
	}
	lane := &db.waiting[0]
	if c.durability == Background {
		lane = &db.waiting[1]
	}
	*lane = append(*lane, c)
	select {
	case db.wake <- struct{}{}:
	default:
	}
	return nil
}

// Read runs fn on one unchanging state of the database, which has everything
// that any returned Write wrote. It waits while four others read. tx.Exec
// fails. Strings and bytes that fn got stay valid.
func (db *DB) Read(ctx context.Context, fn func(tx *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case c, open := <-db.reads:
		if !open {
			return fmt.Errorf("database is closed: %w", webhook.ErrBusy)
		}
		defer func() { db.reads <- c }()
		return c.read(fn)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close lets the writes that wait finish, then closes the file. Later calls
// are refused.
func (db *DB) Close() error {
	db.mu.Lock()
	again := db.closing
	db.closing = true
	select {
	case db.wake <- struct{}{}:
	default:
	}
	db.mu.Unlock()
	<-db.stopped
	if again {
		return nil
	}
	db.syncs.stop()
	db.checkpoints.stop()
	return db.closeFiles()
}

// closeFiles closes what is open. The last connection's end empties the log.
func (db *DB) closeFiles() error {
	var errs []error
	for ; db.readers > 0; db.readers-- {
		c := <-db.reads // waits for those that read
		errs = append(errs, c.close())
	}
	if db.reads != nil {
		close(db.reads)
	}
	if db.log != nil {
		errs = append(errs, db.log.close())
	}
	if db.write != nil {
		errs = append(errs, db.write.close())
	}
	return errors.Join(append(errs, db.lock.Close())...)
}
