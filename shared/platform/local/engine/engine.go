// Package engine is the ordered key-value store of local mode: one folder, in
// which Pebble keeps sorted tables and a log keeps what is not in them yet.
//
// One goroutine writes. It takes all calls of [DB.Write] that wait, runs them,
// appends what they wrote to the log as one record, and puts it into Pebble's
// memory. Another goroutine syncs the log to the disk and then lets the durable
// calls return. A killed process loses nothing that a call returned for; a power
// cut leaves a prefix of history. Reads run beside the writer.
//
// The log is ours, because Pebble ends the process when its own cannot be
// written. Here the write is refused with [webhook.ErrBusy], nothing has changed,
// and the next one may succeed. When a piece of the log is full, Pebble's memory
// goes into a table; then the piece is used again.
package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/postino/postino/shared/platform/local/engine/tables"
	"github.com/postino/postino/shared/webhook"
)

const (
	lockName    = "postino.lock"
	logFolder   = "log"
	tableFolder = "tables"

	// MaxWaiting is how many calls of Write may wait for the writer; further ones
	// are refused with [webhook.ErrBusy].
	MaxWaiting = 16384

	maxGroup   = 512     // calls in one record of the log: some milliseconds of work
	maxRecord  = 1 << 20 // bytes, after which the rest of the calls gets a record of its own
	background = 8       // calls in the background in one group, or as many as others
)

// Durability says what a write waits for before it returns.
type Durability int

const (
	// Ordered waits until the work is in the log, and visible to every read that
	// begins then: safe from the death of the process, lost in a power cut only
	// together with everything after it.
	Ordered Durability = iota
	// Durable also waits until the disk has it.
	Durable
	// Background is Ordered for work that nobody waits for: of many such calls
	// only a few share a group, so that others get in between.
	Background
)

// DB is an open store. Its methods may be called concurrently.
type DB struct {
	dir    string
	lock   *os.File
	tables tables.Tables
	log    *writeLog
	disk   *patience // how Pebble's files take a disk that fails

	mu      sync.Mutex
	waiting [2][]*call // the second in the background
	closing bool
	wake    chan struct{} // holds a token while calls wait or closing
	stopped chan struct{} // closed when the writer has ended
	calls   sync.Pool
	tx      Tx // of the writer

	open sync.RWMutex // held by reads; locked when the tables close
	shut bool         // after which nothing can be read

	busy    stopwatch             // of the writer
	failure atomic.Pointer[error] // of the last group; nil for none
	syncs   *syncer
	flushes sync.WaitGroup
	rows    atomic.Int64 // read
}

// Open opens, or makes, the store in dir and the folder itself (0700). It
// refuses a folder that another process has open, that a newer release wrote, or
// that is damaged, by an error that names it; what a crash or a power cut leaves
// is repaired. In a testing/synctest bubble, call it inside.
func Open(dir string) (*DB, error) { return openOn(vfs.Default, dir) }

// openOn opens the tables on a file system.
func openOn(disk vfs.FS, dir string) (*DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(dir, lockName))
	if err != nil {
		return nil, err
	}
	db := &DB{dir: dir, lock: lock, disk: newPatience()}
	if err := db.prepare(disk); err != nil {
		db.disk.close()
		return nil, errors.Join(fmt.Errorf("open data in %s: %w", dir, named(err)), db.closeFiles())
	}
	db.start()
	return db, nil
}

// prepare opens the files and puts into the tables what only the log has.
func (db *DB) prepare(disk vfs.FS) (err error) {
	if err := checkFormat(db.dir); err != nil {
		return err
	}
	if db.tables, err = tables.Open(patientFS{disk, db.disk}, filepath.Join(db.dir, tableFolder), db.disk.giveUp); err != nil {
		return err
	}
	applied, err := db.applied()
	if err != nil {
		return err
	}
	if db.log, err = openLog(filepath.Join(db.dir, logFolder), applied, db.tables.Replay); err != nil {
		return err
	}
	return syncFolder(db.dir)
}

// named says of damage that it is damage.
func named(err error) error {
	if tables.IsDamage(err) {
		return fmt.Errorf("it is damaged: restore a backup: %w", err)
	}
	return err
}

// start starts the goroutines.
func (db *DB) start() {
	db.calls.New = func() any { return &call{committed: make(chan struct{}, 1), done: make(chan struct{}, 1)} }
	db.tx = Tx{db: db, pending: map[string][]byte{}}
	db.wake = make(chan struct{}, 1)
	db.stopped = make(chan struct{})
	db.syncs = startSyncer(db.log)
	db.disk.begin()
	go db.writer()
}

// appliedKey is where every record of the log says which it is: so the tables
// know up to where they have the log.
var appliedKey = []byte{0}

// applied returns the number of the last record that the tables have.
func (db *DB) applied() (uint64, error) {
	value, err := db.tables.Get(appliedKey)
	if err != nil || value == nil {
		return 0, err
	}
	if len(value) != 8 {
		return 0, errors.New("the tables do not say what they have of the log")
	}
	return binary.BigEndian.Uint64(value), nil
}

// Write runs fn, together with other calls, and returns when what it wrote is as
// durable as asked. An error of fn drops what fn wrote, and only that, and is
// returned as it is. fn must not call Write. It runs on the writer's goroutine:
// what needs no tx belongs outside.
//
// When ctx ends before fn has begun, nothing is written and its error is
// returned; when it ends while only the disk is waited for, [ErrUnsynced] is,
// and the work stands as after an Ordered write. [webhook.ErrBusy] says that
// nothing was written because too many calls wait, the store is closing, or the
// disk is full, read-only or failing. Only after a sync that failed may it have
// been written all the same.
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

// ErrUnsynced says that a Durable write is in the log, but that the disk did not
// take it within the time that the caller had.
var ErrUnsynced = errors.New("the disk has not taken the write yet")

// Failed returns why the last group could not be written, or the error of a
// sync, after which nothing is until the store is opened anew; nil while all is
// well.
func (db *DB) Failed() error {
	if err := db.unwell(); err != nil {
		return err
	}
	if err := db.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// unwell returns why nothing can be written now.
func (db *DB) unwell() error { return errors.Join(db.syncs.failed(), db.disk.failed()) }

// Fail lets every write fail with err, as when the disk does, until it is called
// with nil. It is for tests.
func (db *DB) Fail(err error) { db.disk.pretend(err) }

// Stalled returns for how long the disk has not let a write or a sync end; 0
// while nothing is written.
func (db *DB) Stalled() time.Duration { return max(db.busy.running(), db.syncs.busy.running()) }

// enqueue adds the call to those that wait.
func (db *DB) enqueue(c *call) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closing {
		return errClosed
	}
	if len(db.waiting[0])+len(db.waiting[1]) >= MaxWaiting {
		return fmt.Errorf("%d writes wait: %w", MaxWaiting, webhook.ErrBusy)
	}
	lane := &db.waiting[0]
	if c.durability == Background {
		lane = &db.waiting[1]
	}
	*lane = append(*lane, c)
	db.signal()
	return nil
}

var errClosed = fmt.Errorf("the data is closed: %w", webhook.ErrBusy)

func (db *DB) signal() {
	select {
	case db.wake <- struct{}{}:
	default:
	}
}

// Close lets the writes that wait finish, puts everything into the tables and
// closes the files. Later calls are refused.
func (db *DB) Close() error {
	db.mu.Lock()
	again := db.closing
	db.closing = true
	db.signal()
	db.mu.Unlock()
	<-db.stopped
	if again {
		return nil
	}
	db.syncs.stop()
	db.flushAll()
	db.disk.close()
	db.flushes.Wait()
	return db.closeFiles()
}

// closeFiles closes what is open.
func (db *DB) closeFiles() error {
	db.open.Lock()
	defer db.open.Unlock()
	db.shut = true
	var errs []error
	if db.tables != nil {
		errs = append(errs, db.tables.Close())
	}
	if db.log != nil {
		errs = append(errs, db.log.close())
	}
	return errors.Join(append(errs, db.lock.Close())...)
}
