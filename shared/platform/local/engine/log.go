package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/postino/postino/shared/webhook"
)

// segmentSize is how many bytes of the log lie in one file before the next
// begins.
const segmentSize = 16 << 20

// A record is: checksum of the rest (4 bytes), length of the content (4), number
// (8), content. Numbers ascend by one. What follows the last record in a file is
// garbage: what an earlier use of the file left, or a write that failed; its
// number or checksum is wrong.
const headerSize = 16

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// writeLog is the log: files that are numbered in their order. The writer
// appends; the syncer syncs; both may release files.
type writeLog struct {
	dir  string
	next uint64 // number of the next record
	buf  []byte

	mu     sync.Mutex
	file   *os.File // the last one
	number uint64   // of it
	size   int64    // of its records
	first  uint64   // number of the first file that is still needed
	spare  string   // a file to be used again; "" for none
}

func segmentName(number uint64) string { return fmt.Sprintf("%016x.log", number) }

func (l *writeLog) path(number uint64) string { return filepath.Join(l.dir, segmentName(number)) }

// openLog reads the log behind record number applied, gives the content of each
// record to replay, and begins a new file.
func openLog(dir string, applied uint64, replay func(content []byte) error) (*writeLog, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	numbers, err := segments(dir)
	if err != nil {
		return nil, err
	}
	l := &writeLog{dir: dir, next: applied + 1, number: 0, first: 1}
	for _, n := range numbers {
		if err := l.read(n, replay); err != nil {
			return nil, err
		}
		l.number = n
	}
	if len(numbers) > 0 {
		l.first = numbers[0]
	}
	return l, l.begin()
}

// segments returns the numbers of the files in order.
func segments(dir string) (numbers []uint64, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		var n uint64
		if _, err := fmt.Sscanf(e.Name(), "%016x.log", &n); err != nil || e.Name() != segmentName(n) {
			return nil, fmt.Errorf("%s is no file of the log: move it away", filepath.Join(dir, e.Name()))
		}
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return numbers, nil
}

// read gives the records of one file to replay, but for those that the tables
// have. A file whose first record is not the next or an earlier one follows a
// part that is lost.
func (l *writeLog) read(number uint64, replay func([]byte) error) error {
	data, err := os.ReadFile(l.path(number))
	if err != nil {
		return err
	}
	for previous := uint64(0); ; {
		n, content, rest := parse(data)
		if content == nil || previous != 0 && n != previous+1 {
			return nil
		}
		if n > l.next {
			return fmt.Errorf("%s is damaged: it begins with record %d of the log, want %d: restore a copy", l.path(number), n, l.next)
		}
		if n == l.next {
			if err := replay(slices.Clone(content)); err != nil {
				return fmt.Errorf("%s, record %d: %w", l.path(number), n, err)
			}
			l.next++
		}
		previous, data = n, rest
	}
}

// parse returns the first record of data; nil if there is none that is whole.
func parse(data []byte) (number uint64, content, rest []byte) {
	if len(data) < headerSize {
		return 0, nil, nil
	}
	length := uint64(binary.LittleEndian.Uint32(data[4:]))
	end := headerSize + length
	if length == 0 || uint64(len(data)) < end || crc32.Checksum(data[4:end], castagnoli) != binary.LittleEndian.Uint32(data) {
		return 0, nil, nil
	}
	return binary.LittleEndian.Uint64(data[8:]), data[headerSize:end], data[end:]
}

// begin opens the next file: the spare one, or a new one.
func (l *writeLog) begin() error {
	name := l.path(l.number + 1)
	if l.spare != "" {
		_ = os.Rename(l.spare, name) // otherwise a new one is made
		l.spare = ""
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := syncFolder(l.dir); err != nil {
		return errors.Join(err, file.Close())
	}
	l.file, l.number, l.size = file, l.number+1, 0
	return nil
}

// append writes a record. After an error it is not there: the next takes its
// place.
func (l *writeLog) append(content []byte) error {
	l.buf = append(l.buf[:0], make([]byte, headerSize)...)
	l.buf = append(l.buf, content...)
	binary.LittleEndian.PutUint32(l.buf[4:], uint32(len(content)))
	binary.LittleEndian.PutUint64(l.buf[8:], l.next)
	binary.LittleEndian.PutUint32(l.buf, crc32.Checksum(l.buf[4:], castagnoli))
	if _, err := l.file.WriteAt(l.buf, l.size); err != nil {
		return fmt.Errorf("write the log: %w: %w", webhook.ErrBusy, err)
	}
	l.size += int64(len(l.buf))
	l.next++
	if cap(l.buf) > 4*maxRecord {
		l.buf = nil
	}
	return nil
}

// full reports whether the next record belongs into another file.
func (l *writeLog) full() bool { return l.size >= segmentSize }

// rotate begins another file, and returns the number of the one before, which
// the disk then has.
func (l *writeLog) rotate() (last uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.file
	if err := syncData(before); err != nil {
		return 0, err
	}
	last = l.number
	if err := l.begin(); err != nil {
		return 0, err
	}
	return last, before.Close()
}

// current returns the number of the file that is written.
func (l *writeLog) current() uint64 { return l.number }

// sync lets the disk take the log.
func (l *writeLog) sync(flush func(*os.File) error) (name string, err error) {
	l.mu.Lock()
	file := l.file
	l.mu.Unlock()
	err = flush(file)
	if errors.Is(err, os.ErrClosed) { // rotated meanwhile, after a sync
		return l.sync(flush)
	}
	return file.Name(), err
}

// release says that files up to a number are not needed any more. One of them is
// kept for use.
func (l *writeLog) release(last uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for ; l.first <= last; l.first++ {
		name := l.path(l.first)
		if l.spare == "" && l.first != l.number {
			l.spare = name
			continue
		}
		_ = os.Remove(name) // the next start does
	}
}

// close closes the file. The spare one is removed: its name is an old number.
func (l *writeLog) close() error {
	if l.spare != "" {
		_ = os.Remove(l.spare)
	}
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// syncFolder makes the disk keep the names of files. Windows does by itself.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
