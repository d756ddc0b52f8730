package engine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/postino/postino/shared/webhook"
)

func TestTooManyWaitingWritesAreRefused(t *testing.T) {
	db := openTest(t)
	release := hold(t, db)
	var wg sync.WaitGroup
	var refused, done atomic.Int64
	for id := range MaxWaiting + 10 {
		wg.Go(func() {
			switch err := insert(db, Ordered, id); {
			case errors.Is(err, webhook.ErrBusy):
				if refused.Add(1) == 10 {
					release()
				}
			case err == nil:
				done.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if refused.Load() != 10 || done.Load() != MaxWaiting || count(t, db) != MaxWaiting {
		t.Errorf("%d refused, %d done, want 10 and %d", refused.Load(), done.Load(), MaxWaiting)
	}
}

// size is how many bytes a folder has.
func size(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil { // it may be gone
			bytes += info.Size()
		}
	}
	return bytes
}

func TestTheLogStaysBounded(t *testing.T) {
	dir := t.TempDir()
	db := openDir(t, dir)
	body := make([]byte, 100<<10)
	most := int64(0)
	for id := range 1500 { // 150 MB
		err := db.Write(t.Context(), Ordered, func(tx *Tx) error { tx.Set(rowKey(id%100), body); return nil })
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, size(t, filepath.Join(dir, logFolder)))
	}
	if most < segmentSize || most > 5*segmentSize {
		t.Errorf("the log grew to %d bytes, want between %d and %d", most, segmentSize, 5*segmentSize)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if left := size(t, filepath.Join(dir, logFolder)); left != 0 {
		t.Errorf("the log of a closed store has %d bytes, want 0", left)
	}
}

// TestAWriteMayBeLarge: larger than Pebble's memory, and kept by the log alone.
func TestAWriteMayBeLarge(t *testing.T) {
	dir := t.TempDir()
	db := openDir(t, dir)
	err := db.Write(t.Context(), Durable, func(tx *Tx) error {
		for id := range 40 {
			tx.Set(rowKey(id), make([]byte, 700<<10))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, db := range []*DB{db, openDir(t, crashed(t, dir))} {
		if value, err := db.Get(rowKey(39)); count(t, db) != 40 || len(value) != 700<<10 || err != nil {
			t.Errorf("%d rows, the last has %d bytes, %v, want 40 of %d", count(t, db), len(value), err, 700<<10)
		}
	}
}

// busy writes large values until one is refused.
func busy(t *testing.T, db *DB) (err error) {
	t.Helper()
	for id := range 1000 {
		err = db.Write(t.Context(), Durable, func(tx *Tx) error { tx.Set(rowKey(100+id%50), make([]byte, 200<<10)); return nil })
		if err != nil {
			return err
		}
	}
	return nil
}

// TestALogThatTakesNothingIsBusyUntilItDoes: of what was refused nothing is there,
// and what is written next is.
func TestALogThatTakesNothingIsBusyUntilItDoes(t *testing.T) {
	dir := t.TempDir()
	db := openDir(t, dir)
	if err := insert(db, Durable, 1); err != nil {
		t.Fatal(err)
	}
	writable := db.log.file
	readOnly, err := os.Open(writable.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	db.log.file = readOnly // the writer rests
	if err := busy(t, db); !errors.Is(err, webhook.ErrBusy) {
		t.Errorf("Write: %v, want %v", err, webhook.ErrBusy)
	}
	if err := db.Failed(); !errors.Is(err, webhook.ErrBusy) {
		t.Errorf("Failed() = %v, want %v", err, webhook.ErrBusy)
	}
	if got := count(t, db); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
	db.log.file = writable
	if err := insert(db, Durable, 7); err != nil {
		t.Errorf("Write when there is room: %v", err)
	}
	if err := db.Failed(); err != nil {
		t.Errorf("Failed() when there is room = %v", err)
	}
	if got := count(t, openDir(t, crashed(t, dir))); got != 2 {
		t.Errorf("%d rows after a crash, want 2", got)
	}
}

// TestTablesThatTakeNothingAreBusyUntilTheyDo: Pebble cannot make room in memory,
// waits, and loses nothing.
func TestTablesThatTakeNothingAreBusyUntilTheyDo(t *testing.T) {
	for name, fault := range map[string]error{"full": syscall.ENOSPC, "read-only": syscall.EROFS} {
		var full atomic.Bool
		disk := errorfs.Wrap(vfs.Default, errorfs.InjectorFunc(func(op errorfs.Op) error {
			switch op.Kind {
			case errorfs.OpCreate, errorfs.OpFileWrite, errorfs.OpRename, errorfs.OpLink:
				if full.Load() {
					return fault
				}
			}
			return nil
		}))
		dir := t.TempDir()
		db, err := openOn(disk, dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := insert(db, Durable, 1); err != nil {
			t.Fatal(err)
		}
		full.Store(true)
		if err := busy(t, db); !errors.Is(err, webhook.ErrBusy) || !errors.Is(err, fault) {
			t.Errorf("%s: Write: %v, want %v because of %v", name, err, webhook.ErrBusy, fault)
		}
		if got := count(t, db); got < 2 {
			t.Errorf("%s: %d rows can be read, want those that were written", name, got)
		}
		if got := count(t, openDir(t, crashed(t, dir))); got < 2 {
			t.Errorf("%s: %d rows after a crash, want those that were written", name, got)
		}
		full.Store(false)
		for began := time.Now(); db.Failed() != nil; time.Sleep(time.Millisecond) {
			if time.Since(began) > 30*time.Second {
				t.Fatalf("%s: there is room, and the store is busy: %v", name, db.Failed())
			}
		}
		if err := insert(db, Durable, 7); err != nil {
			t.Errorf("%s: Write when there is room: %v", name, err)
		}
		full.Store(true)
		_ = busy(t, db)
		if err := db.Close(); err != nil { // it does not wait for room
			t.Logf("%s: Close: %v", name, err)
		}
		if got := ids(t, openDir(t, dir)); len(got) < 3 || got[0] != 1 || got[1] != 7 {
			t.Errorf("%s: rows %v after the store closed, want 1, 7 and large ones", name, got)
		}
	}
}

func TestAFailedSyncStopsAllWriting(t *testing.T) {
	db := openTest(t)
	db.syncs.flush = func(*os.File) error { return syscall.EIO } // nothing was written yet
	for id, d := range []Durability{Durable, Ordered, Durable} {
		if err := insert(db, d, id); !errors.Is(err, webhook.ErrBusy) || !strings.Contains(err.Error(), logFolder) {
			t.Errorf("write %d: %v, want an error that names the file", id, err)
		}
	}
}
