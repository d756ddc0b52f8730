package engine

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
)

// value is a long one that does not compress, so that tables and files of values
// come and go while a test writes.
func value(id int) []byte {
	b := make([]byte, 64<<10)
	_, _ = rand.NewChaCha8([32]byte{byte(id), byte(id >> 8)}).Read(b) // never fails
	return b
}

// TestACopyOfDataInUseIsAPrefix: whatever happens to the files meanwhile.
func TestACopyOfDataInUseIsAPrefix(t *testing.T) {
	dir := t.TempDir()
	db := openDir(t, dir)
	stop, done := make(chan struct{}), make(chan int)
	go func() {
		for id := 0; ; id++ {
			select {
			case <-stop:
				done <- id
				return
			default:
			}
			err := db.Write(t.Context(), Ordered, func(tx *Tx) error { tx.Set(rowKey(id), value(id)); return nil })
			if err != nil {
				t.Error(err)
			}
		}
	}()
	for range 8 {
		before := ids(t, db)
		again, err := OpenCopy(dir, filepath.Join(t.TempDir(), "copy"))
		if err != nil {
			t.Error(err)
			break
		}
		rows := ids(t, again)
		if len(rows) < len(before) || len(rows) > 0 && rows[len(rows)-1] != len(rows)-1 {
			t.Errorf("the copy has %d rows, %d were there before it: want a prefix of history with them", len(rows), len(before))
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	written := <-done
	if got := ids(t, db); len(got) != written || !slices.IsSorted(got) {
		t.Errorf("%d rows after the copies, want %d", len(got), written)
	}
	if _, err := OpenCopy(t.TempDir(), filepath.Join(t.TempDir(), "copy")); err == nil {
		t.Error("a folder without data was copied")
	}
}
