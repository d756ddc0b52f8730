package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/webhook"
)

var errOwn = errors.New("of the caller")

func openTest(t testing.TB) *DB {
	t.Helper()
	return openDir(t, t.TempDir())
}

func openDir(t testing.TB, dir string) *DB {
	t.Helper()
	db, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func rowKey(id int) []byte { return binary.BigEndian.AppendUint64([]byte("row"), uint64(id)) }

func insert(db *DB, d Durability, id int) error {
	return db.Write(context.Background(), d, func(tx *Tx) error { tx.Set(rowKey(id), []byte("body")); return nil })
}

// ids returns those whose rows are there.
func ids(t testing.TB, db *DB) (all []int) {
	t.Helper()
	err := db.Scan(Prefix([]byte("row")...), func(key, _ []byte) (bool, error) {
		all = append(all, int(binary.BigEndian.Uint64(key[3:])))
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func count(t testing.TB, db *DB) int { return len(ids(t, db)) }

// together runs the writes in one group, since the writer is busy while they
// are called.
func together(t *testing.T, db *DB, writes ...func()) {
	t.Helper()
	release := hold(t, db)
	var wg sync.WaitGroup
	for _, w := range writes {
		wg.Go(w)
	}
	for waiting := 0; waiting < len(writes); time.Sleep(time.Millisecond) {
		db.mu.Lock()
		waiting = len(db.waiting[0]) + len(db.waiting[1])
		db.mu.Unlock()
	}
	release()
	wg.Wait()
}

// hold keeps the writer busy until release is called.
func hold(t *testing.T, db *DB) (release func()) {
	t.Helper()
	started, hold, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		_ = db.Write(context.Background(), Ordered, func(*Tx) error { close(started); <-hold; return nil })
	}()
	<-started
	return func() { close(hold); <-ended }
}

func TestAnErrorDropsOnlyItsOwnWork(t *testing.T) {
	db := openTest(t)
	var writes []func()
	for i := range 300 {
		writes = append(writes, func() {
			err := db.Write(t.Context(), Durability(i%2), func(tx *Tx) error {
				if i%3 == 1 {
					return errOwn // without any work
				}
				tx.Set(rowKey(i), []byte{1})
				if i%3 == 0 {
					return errOwn
				}
				return nil
			})
			if want := i%3 != 2; (err == errOwn) != want {
				t.Errorf("write %d: %v", i, err)
			}
		})
	}
	together(t, db, writes...)
	if got := count(t, db); got != 100 {
		t.Errorf("%d rows, want 100", got)
	}
}

func TestAPanicIsItsCallersOwn(t *testing.T) {
	db := openTest(t)
	panics := func() {
		defer func() {
			if p := recover(); p != "mine" {
				t.Errorf("recovered %v", p)
			}
		}()
		_ = db.Write(t.Context(), Durable, func(tx *Tx) error { tx.Set(rowKey(1), nil); panic("mine") })
	}
	together(t, db, panics, func() {
		if err := insert(db, Durable, 2); err != nil {
			t.Error(err)
		}
	})
	if got := ids(t, db); !slices.Equal(got, []int{2}) {
		t.Errorf("rows %v, want [2]", got)
	}
}

// TestCallsOfAGroupSeeWhatEarlierOnesWrote: each adds one to a sum.
func TestCallsOfAGroupSeeWhatEarlierOnesWrote(t *testing.T) {
	db := openTest(t)
	var writes []func()
	for i := range 200 {
		writes = append(writes, func() {
			err := db.Write(t.Context(), Durability(i%3), func(tx *Tx) error {
				if i%10 == 0 {
					tx.Delete([]byte("never"))
				}
				for range 2 { // and what it wrote itself
					value, err := tx.Get([]byte("sum"))
					if err != nil {
						return err
					}
					tx.Set([]byte("sum"), append(value, 'x'))
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	together(t, db, writes...)
	if sum, err := db.Get([]byte("sum")); len(sum) != 400 || err != nil {
		t.Errorf("the sum is %d, %v, want 400", len(sum), err)
	}
}

func TestADeletedKeyIsGone(t *testing.T) {
	db := openTest(t)
	look := func(tx *Tx, key string, want []byte) {
		t.Helper()
		if got, err := tx.Get([]byte(key)); string(got) != string(want) || (got == nil) != (want == nil) || err != nil {
			t.Errorf("%s is %q, %v, want %q", key, got, err, want)
		}
	}
	for _, fn := range []func(tx *Tx){
		func(tx *Tx) { look(tx, "a", nil); tx.Set([]byte("a"), nil); look(tx, "a", []byte{}) },
		func(tx *Tx) { look(tx, "a", []byte{}); tx.Delete([]byte("a")); look(tx, "a", nil) },
		func(tx *Tx) { look(tx, "a", nil); tx.Delete([]byte("a")) },
		func(tx *Tx) {
			tx.Set([]byte("b"), nil)
			look(tx, "b", []byte{})
			tx.DeleteOnce([]byte("b"))
			look(tx, "b", nil)
		},
	} {
		if err := db.Write(t.Context(), Ordered, func(tx *Tx) error { fn(tx); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := db.Get([]byte("a")); got != nil || err != nil {
		t.Errorf("the key is %q, %v, want none", got, err)
	}
}

func TestASpanIsReadInItsOrder(t *testing.T) {
	db := openTest(t)
	err := db.Write(t.Context(), Ordered, func(tx *Tx) error {
		for _, k := range []string{"b2", "a", "b1", "b\xff", "c", "b"} {
			tx.Set([]byte(k), []byte("v"+k))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	before := db.RowsRead()
	for _, tt := range []struct {
		span  Span
		limit int
		want  string
	}{
		{Prefix('b'), 9, "b b1 b2 b\xff"}, {Span{From: []byte("b1"), To: []byte("b\xff")}, 9, "b1 b2"}, {Span{From: []byte("b"), To: []byte("c"), Desc: true}, 3, "b\xff b2 b1"},
		{Prefix('d'), 9, ""},
	} {
		var got []string
		err := db.Scan(tt.span, func(key, value []byte) (bool, error) {
			if string(value) != "v"+string(key) {
				t.Errorf("%s is %s", key, value)
			}
			got = append(got, string(key))
			return len(got) < tt.limit, nil
		})
		if strings.Join(got, " ") != tt.want || err != nil {
			t.Errorf("span %q is %q, %v, want %q", tt.span.From, got, err, tt.want)
		}
	}
	if err := db.Scan(Prefix('a'), func(_, _ []byte) (bool, error) { return true, errOwn }); !errors.Is(err, errOwn) {
		t.Errorf("Scan: %v, want the caller's error", err)
	}
	if read := db.RowsRead() - before; read != 10 {
		t.Errorf("%d rows were read, want 10", read)
	}
}

func TestReadsSeeWhatWasWrittenBefore(t *testing.T) {
	db := openTest(t)
	var last atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		for id := range 500 {
			if err := insert(db, Durability(id%2), id); err != nil {
				t.Error(err)
			}
			last.Store(int64(id + 1))
		}
	})
	for range 200 {
		want := int(last.Load())
		if got := count(t, db); got < want {
			t.Fatalf("read %d rows after %d writes returned", got, want)
		}
	}
	wg.Wait()
}

func TestACanceledWriteWritesNothing(t *testing.T) {
	db := openTest(t)
	release := hold(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	err := db.Write(ctx, Durable, func(*Tx) error { t.Error("a canceled write ran"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Write: %v, want %v", err, context.Canceled)
	}
	release()
	if err := insert(db, Ordered, 1); err != nil {
		t.Error(err)
	}
}

func TestCloseFinishesWhatWaits(t *testing.T) {
	dir := t.TempDir()
	db := openDir(t, dir)
	var wg sync.WaitGroup
	var done atomic.Int64
	for id := range 1000 {
		wg.Go(func() {
			if err := insert(db, Durability(id%2), id); err == nil {
				done.Add(1)
			} else if !errors.Is(err, webhook.ErrBusy) {
				t.Error(err)
			}
		})
	}
	for done.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if err := insert(db, Durable, 5000); !errors.Is(err, webhook.ErrBusy) {
		t.Errorf("Write after Close: %v, want %v", err, webhook.ErrBusy)
	}
	if _, err := db.Get(rowKey(1)); !errors.Is(err, webhook.ErrBusy) {
		t.Errorf("Get after Close: %v, want %v", err, webhook.ErrBusy)
	}
	if err := db.Scan(Prefix('r'), nil); !errors.Is(err, webhook.ErrBusy) {
		t.Errorf("Scan after Close: %v, want %v", err, webhook.ErrBusy)
	}
	if got := count(t, openDir(t, dir)); got != int(done.Load()) {
		t.Errorf("%d rows, but %d writes returned", got, done.Load())
	}
}

func TestWritesWorkInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openTest(t)
		var wg sync.WaitGroup
		for id := range 100 {
			wg.Go(func() {
				time.Sleep(time.Duration(id) * time.Second)
				if err := insert(db, Durability(id%2), id); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := count(t, db); got != 100 {
			t.Errorf("%d rows, want 100", got)
		}
	})
}
