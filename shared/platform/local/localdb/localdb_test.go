package localdb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/webhook"
)

var errOwn = errors.New("of the caller")

var table = []string{"CREATE TABLE rows (id INTEGER PRIMARY KEY, body BLOB NOT NULL)"}

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
	if err := db.Migrate(t.Context(), "test", table); err != nil {
		t.Fatal(err)
	}
	return db
}

func insert(db *DB, d Durability, id int) error {
	return db.Write(context.Background(), d, func(tx *Tx) error {
		_, err := tx.Exec("INSERT INTO rows VALUES (?, ?)", id, []byte("body"))
		return err
	})
}

func count(t testing.TB, db *DB) (n int64) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *Tx) error {
		return tx.Query("SELECT count(*) FROM rows", nil, func(row *Row) error { n = row.Int64(0); return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

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

func TestAnErrorUndoesOnlyItsOwnWork(t *testing.T) {
	db := openTest(t)
	var writes []func()
	for i := range 300 {
		writes = append(writes, func() {
			err := db.Write(t.Context(), Durability(i%2), func(tx *Tx) error {
				if i%3 == 1 {
					return errOwn // without any work
				}
				if _, err := tx.Exec("INSERT INTO rows VALUES (?, ?)", i, []byte{1}); err != nil {
					return err
				}
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
		_ = db.Write(t.Context(), Durable, func(tx *Tx) error {
			_, _ = tx.Exec("INSERT INTO rows VALUES (1, 'x')")
			panic("mine")
		})
	}
	together(t, db, panics, func() {
		if err := insert(db, Durable, 2); err != nil {
			t.Error(err)
		}
	})
	if got := count(t, db); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
}

func TestAWrongStatementIsItsCallersOwn(t *testing.T) {
	db := openTest(t)
	var writes []func()
	for _, sql := range []string{"INSERT INTO rows VALUES (7, NULL)", "INSERT INTO nowhere VALUES (1)", "SELEC", "INSERT INTO rows VALUES (?, ?)", "DELETE FROM rows; DELETE FROM rows"} {
		writes = append(writes, func() {
			if err := db.Write(t.Context(), Durable, func(tx *Tx) error { _, err := tx.Exec(sql); return err }); err == nil {
				t.Errorf("%s was taken", sql)
			}
		})
	}
	writes = append(writes, func() {
		if err := insert(db, Durable, 1); err != nil {
			t.Error(err)
		}
	})
	together(t, db, writes...)
	if got := count(t, db); got != 1 {
		t.Errorf("%d rows, want 1", got)
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
		want := last.Load()
		if got := count(t, db); got < want {
			t.Fatalf("read %d rows after %d writes returned", got, want)
		}
	}
	wg.Wait()
}

func TestAReadCannotWrite(t *testing.T) {
	db := openTest(t)
	err := db.Read(t.Context(), func(tx *Tx) error { _, err := tx.Exec("DELETE FROM rows"); return err })
	if err == nil {
		t.Error("Exec in a Read was taken")
	}
	err = db.Read(t.Context(), func(tx *Tx) error { return tx.Query("DELETE FROM rows", nil, nil) })
	if err == nil {
		t.Error("a DELETE in a Query of a Read was taken")
	}
}

func TestValuesComeBack(t *testing.T) {
	db := openTest(t)
	if err := db.Migrate(t.Context(), "values", []string{"CREATE TABLE v (i, t, b, e, n, f, yes)"}); err != nil {
		t.Fatal(err)
	}
	err := db.Write(t.Context(), Ordered, func(tx *Tx) error {
		_, err := tx.Exec("INSERT INTO v VALUES (?, ?, ?, ?, ?, ?, ?)", int64(-5), "té\x00xt", []byte{0, 255}, []byte(nil), nil, 1.5, true)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var got string
	err = db.Read(t.Context(), func(tx *Tx) error {
		return tx.Query("SELECT * FROM v", nil, func(r *Row) error {
			got = fmt.Sprintf("%d %q %v %v %v %v %v %d", r.Int64(0), r.Text(1), r.Bytes(2), r.Bytes(3), r.IsNull(3), r.IsNull(4), r.Float64(5), r.Int64(6))
			return nil
		})
	})
	if want := `-5 "té\x00xt" [0 255] [] false true 1.5 1`; got != want || err != nil {
		t.Errorf("read %s, %v, want %s", got, err, want)
	}
}

func TestAQueryMayNestInItself(t *testing.T) {
	db := openTest(t)
	for id := range 5 {
		if err := insert(db, Ordered, id); err != nil {
			t.Fatal(err)
		}
	}
	const sql = "SELECT id FROM rows WHERE id >= ?"
	pairs := 0
	err := db.Read(t.Context(), func(tx *Tx) error {
		return tx.Query(sql, []any{0}, func(row *Row) error {
			return tx.Query(sql, []any{row.Int64(0)}, func(*Row) error { pairs++; return nil })
		})
	})
	if pairs != 15 || err != nil {
		t.Errorf("%d pairs, %v, want 15", pairs, err)
	}
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
	if err := db.Read(t.Context(), func(*Tx) error { return nil }); !errors.Is(err, webhook.ErrBusy) {
		t.Errorf("Read after Close: %v, want %v", err, webhook.ErrBusy)
	}
	if got := count(t, openDir(t, dir)); got != done.Load() {
		t.Errorf("%d rows, but %d writes returned", got, done.Load())
	}
}

func TestMigrationsAreAppliedOnceAndInOrder(t *testing.T) {
	db := openTest(t)
	first := "CREATE TABLE a (x); INSERT INTO a VALUES (1);"
	second := "ALTER TABLE a ADD COLUMN y; UPDATE a SET y = x + 1;"
	for _, tt := range []struct {
		ddl  []string
		want string // in the error; "" for none
	}{
		{[]string{first}, ""},
		{[]string{first}, ""},
		{[]string{first, second, "CREATE TABLE a (again)"}, "already exists"},
		{[]string{first, second}, ""},
		{[]string{first}, "newer release"},
		{[]string{first, "another"}, "another script 1"},
		{[]string{first, second}, ""},
	} {
		err := db.Migrate(t.Context(), "part", tt.ddl)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Migrate with %d scripts: %v, want %q", len(tt.ddl), err, tt.want)
		}
	}
	var sum int64
	err := db.Read(t.Context(), func(tx *Tx) error {
		return tx.Query("SELECT sum(x + y) FROM a", nil, func(row *Row) error { sum = row.Int64(0); return nil })
	})
	if sum != 3 || err != nil {
		t.Errorf("sum is %d, %v, want 3", sum, err)
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
