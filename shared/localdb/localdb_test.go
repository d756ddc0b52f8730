package localdb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

var table = []string{"CREATE TABLE rows (id INTEGER PRIMARY KEY, body BLOB NOT NULL)"}

func openTest(t testing.TB) *DB {
	t.Helper()
	db, err := Open(t.TempDir())
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

func TestErrorUndoesOnlyItsOwnWork(t *testing.T) {
	db := openTest(t)
	mine := errors.New("mine")
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			err := db.Write(t.Context(), Durability(i%2), func(tx *Tx) error {
				if _, err := tx.Exec("INSERT INTO rows VALUES (?, ?)", i, []byte{1}); err != nil {
					return err
				}
				if i%3 == 0 {
					return mine
				}
				return nil
			})
			if want := i%3 == 0; errors.Is(err, mine) != want {
				t.Errorf("write %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if got := count(t, db); got != 200 {
		t.Errorf("%d rows, want 200", got)
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, d := range []Durability{Durable, Ordered} {
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("durable=%v/callers=%d", d == Durable, callers), func(b *testing.B) {
				db := openTest(b)
				var next atomic.Int64
				body := make([]byte, 700)
				b.ResetTimer()
				var wg sync.WaitGroup
				for range callers {
					wg.Go(func() {
						for id := next.Add(1); id <= int64(b.N); id = next.Add(1) {
							err := db.Write(context.Background(), d, func(tx *Tx) error {
								_, err := tx.Exec("INSERT INTO rows VALUES (?, ?)", id, body)
								return err
							})
							if err != nil {
								b.Error(err)
							}
						}
					})
				}
				wg.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}
