package localdb

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// BenchmarkWrite inserts one row of 700 bytes per call.
func BenchmarkWrite(b *testing.B) {
	for _, d := range []Durability{Durable, Ordered} {
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("durable=%v/callers=%d", d == Durable, callers), func(b *testing.B) {
				benchmarkWrite(b, d, callers)
			})
		}
	}
}

func benchmarkWrite(b *testing.B, d Durability, callers int) {
	db := openTest(b)
	body := make([]byte, 700)
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
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
}

// BenchmarkRead reads one row by its key.
func BenchmarkRead(b *testing.B) {
	db := openTest(b)
	for id := range 1000 {
		if err := insert(db, Ordered, id); err != nil {
			b.Fatal(err)
		}
	}
	var id int
	for b.Loop() {
		id = (id + 7) % 1000
		err := db.Read(context.Background(), func(tx *Tx) error {
			return tx.Query("SELECT body FROM rows WHERE id = ?", []any{id}, func(row *Row) error { row.Bytes(0); return nil })
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
