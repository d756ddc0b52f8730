package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/postino/postino/shared/webhook"
)

// patience lets Pebble's work in the background wait while the disk is full or
// read-only: each of its writes is tried again until it succeeds or the store
// closes. Otherwise Pebble would end the process. Meanwhile the writer refuses
// everything, so that memory does not fill.
type patience struct {
	began   atomic.Bool // before, errors are those of Open
	waiting atomic.Int64
	closing chan struct{}
	closed  sync.Once

	mu   sync.Mutex
	last error // why writes wait
	lost error // of a sync: what the disk has is unknown

	pretended error // see [DB.Fail]
}

func newPatience() *patience { return &patience{closing: make(chan struct{})} }

// begin says that the store is open.
func (p *patience) begin() { p.began.Store(true) }

// close lets what waits fail.
func (p *patience) close() { p.closed.Do(func() { close(p.closing) }) }

func (p *patience) isClosed() bool {
	select {
	case <-p.closing:
		return true
	default:
		return !p.began.Load()
	}
}

// giveUp ends the process when Pebble says that it cannot go on. The next start has
// everything that was acknowledged.
func (p *patience) giveUp(format string, args ...any) {
	if p.isClosed() {
		return // a write to a disk that fails was given up
	}
	panic(fmt.Sprintf("the data cannot be written any more: start again when the disk is well: "+format, args...))
}

// failed returns why nothing can be written now.
func (p *patience) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := errors.Join(p.lost, p.pretended); err != nil {
		return err
	}
	if p.waiting.Load() > 0 {
		return p.last
	}
	return nil
}

func (p *patience) pretend(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pretended = nil; err != nil {
		p.pretended = fmt.Errorf("%w: %w", webhook.ErrBusy, err)
	}
}

// retryDisk is how long a write waits before it is tried again.
const retryDisk = 50 * time.Millisecond

// insist makes a write until it succeeds.
func (p *patience) insist(write func() error) error {
	err := write()
	if err == nil || !p.passes(err) {
		return err
	}
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	for err != nil && p.passes(err) {
		p.note(err)
		select {
		case <-p.closing:
			return err
		case <-time.After(retryDisk):
		}
		err = write()
	}
	return err
}

// passes reports whether the error is one of the disk, and passes.
func (p *patience) passes(err error) bool {
	return p.began.Load() && !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrClosed)
}

func (p *patience) note(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = fmt.Errorf("write the tables: %w: %w", webhook.ErrBusy, err)
}

// lose notes a sync that failed: nothing is written after it, and the work that
// needs it waits for the end.
func (p *patience) lose(err error) error {
	if err == nil || !p.began.Load() {
		return err
	}
	p.mu.Lock()
	p.lost = fmt.Errorf("sync the tables, restart when the disk is well: %w: %w", webhook.ErrBusy, err)
	p.mu.Unlock()
	<-p.closing
	return err
}

// waitFor waits until done is closed, unless the disk fails.
func (p *patience) waitFor(done <-chan struct{}) bool {
	for {
		select {
		case <-done:
			return true
		case <-time.After(retryDisk):
		}
		if p.failed() != nil {
			return false
		}
	}
}

// patientFS is the disk as Pebble sees it.
type patientFS struct {
	vfs.FS
	disk *patience
}

func (f patientFS) Create(name string, category vfs.DiskWriteCategory) (file vfs.File, err error) {
	err = f.disk.insist(func() (err error) { file, err = f.FS.Create(name, category); return err })
	return f.wrap(file, err)
}

func (f patientFS) OpenReadWrite(name string, category vfs.DiskWriteCategory, options ...vfs.OpenOption) (file vfs.File, err error) {
	err = f.disk.insist(func() (err error) { file, err = f.FS.OpenReadWrite(name, category, options...); return err })
	return f.wrap(file, err)
}

func (f patientFS) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (file vfs.File, err error) {
	file, err = f.FS.ReuseForWrite(from, to, category)
	return f.wrap(file, err)
}

func (f patientFS) OpenDir(name string) (file vfs.File, err error) {
	file, err = f.FS.OpenDir(name)
	return f.wrap(file, err)
}

func (f patientFS) Link(from, to string) error {
	return f.disk.insist(func() error { return f.FS.Link(from, to) })
}

func (f patientFS) Rename(from, to string) error {
	return f.disk.insist(func() error { return f.FS.Rename(from, to) })
}

func (f patientFS) MkdirAll(dir string, _ os.FileMode) error {
	return f.disk.insist(func() error { return f.FS.MkdirAll(dir, 0o700) })
}

func (f patientFS) Unwrap() vfs.FS { return f.FS }

func (f patientFS) wrap(file vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return patientFile{file, f.disk}, nil
}

// patientFile is a file of patientFS.
type patientFile struct {
	vfs.File
	disk *patience
}

func (f patientFile) Write(b []byte) (n int, err error) {
	err = f.disk.insist(func() error {
		m, err := f.File.Write(b[n:])
		n += m
		return err
	})
	return n, err
}

func (f patientFile) WriteAt(b []byte, at int64) (n int, err error) {
	err = f.disk.insist(func() (err error) { n, err = f.File.WriteAt(b, at); return err })
	return n, err
}

// Preallocate is only advice.
func (f patientFile) Preallocate(int64, int64) error { return nil }

func (f patientFile) Sync() error     { return f.disk.lose(f.File.Sync()) }
func (f patientFile) SyncData() error { return f.disk.lose(f.File.SyncData()) }

func (f patientFile) SyncTo(length int64) (whole bool, err error) {
	whole, err = f.File.SyncTo(length)
	return whole, f.disk.lose(err)
}
