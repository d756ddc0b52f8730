// Command engine measures what an engine for local mode costs: SQLite, as
// shared/platform/local/localdb drives it, and Pebble, an ordered key-value
// store in pure Go. It is a module of its own, so that Postino does not depend
// on an engine that it does not use.
//
//	go run . [-duration 10s] [-writers 64] [-dir folder on a real disk]
//
// Each writer plays events, one after the other, with the rows that an event
// and its callback write:
//
//	publish    put the event's message                          synced to disk
//	fan-out    put the event, put the attempt's message, delete the event's message
//	attempt    put the delivery, delete the attempt's message
//
// and the reads between: is the event there, is the delivery there.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Sizes in bytes, of an event of 1 KB.
const (
	messageSize  = 1300
	eventSize    = 1200
	attemptSize  = 300
	deliverySize = 500
)

// row is a key with its value; nil deletes the key.
type row struct {
	key   []byte
	value []byte
}

// engine stores rows.
type engine interface {
	// write stores all rows or none. If synced, the disk has them when it returns.
	write(rows []row, synced bool) error
	has(key []byte) (bool, error)
	close() error
}

var engines = []struct {
	name string
	open func(folder string) (engine, error)
}{
	{"sqlite", openSQLite},
	{"pebble", openPebble},
}

func main() {
	duration := flag.Duration("duration", 10*time.Second, "how long each engine writes, in three turns")
	writers := flag.Int("writers", 64, "events at a time")
	dir := flag.String("dir", ".", "`folder` on a real disk")
	flag.Parse()
	if err := run(*dir, *writers, *duration/turns); err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		os.Exit(1)
	}
}

// turns is how often each engine is measured, in alternation: a machine that
// does other things meanwhile slows all alike.
const turns = 3

func run(dir string, writers int, each time.Duration) error {
	results := make([][]figures, len(engines))
	for range turns {
		for i, e := range engines {
			f, err := measure(dir, e.open, writers, each)
			if err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
			results[i] = append(results[i], f)
		}
	}
	fmt.Println("medians of three       events/s   processor/event   p50        p99        disk/event")
	for i, e := range engines {
		f := median(results[i])
		fmt.Printf("%-22s %8.0f   %12.1f µs   %-9v  %-9v  %6.0f B\n", e.name, f.rate, f.processor, f.p50.Round(time.Microsecond), f.p99.Round(time.Microsecond), f.disk)
	}
	return nil
}

// figures are of one engine in one turn.
type figures struct {
	rate      float64 // events a second
	processor float64 // µs an event
	p50, p99  time.Duration
	disk      float64 // bytes an event
}

// median takes each figure's own.
func median(all []figures) (m figures) {
	pick := func(of func(figures) float64) float64 {
		var values []float64
		for _, f := range all {
			values = append(values, of(f))
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	m.rate = pick(func(f figures) float64 { return f.rate })
	m.processor = pick(func(f figures) float64 { return f.processor })
	m.p50 = time.Duration(pick(func(f figures) float64 { return float64(f.p50) }))
	m.p99 = time.Duration(pick(func(f figures) float64 { return float64(f.p99) }))
	m.disk = pick(func(f figures) float64 { return f.disk })
	return m
}

func measure(dir string, open func(string) (engine, error), writers int, duration time.Duration) (f figures, err error) {
	folder, err := os.MkdirTemp(dir, "engine-")
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(folder)
	e, err := open(folder)
	if err != nil {
		return f, err
	}
	before, began := processor(), time.Now()
	times, err := play(e, writers, duration)
	if err != nil {
		return f, err
	}
	took, used := time.Since(began), processor()-before
	if err := e.close(); err != nil {
		return f, err
	}
	slices.Sort(times)
	n := len(times)
	return figures{
		rate: float64(n) / took.Seconds(), processor: float64(used.Microseconds()) / float64(n),
		p50: times[n/2], p99: times[n*99/100], disk: float64(size(folder)) / float64(n),
	}, nil
}

// play lets the writers play events until the time is over, and returns how
// long each event took.
func play(e engine, writers int, duration time.Duration) (times []time.Duration, err error) {
	ctx, stop := context.WithTimeout(context.Background(), duration)
	defer stop()
	var (
		group sync.WaitGroup
		mu    sync.Mutex
		next  atomic.Int64
	)
	for range writers {
		group.Go(func() {
			var own []time.Duration
			for ctx.Err() == nil {
				began := time.Now()
				if fault := event(e, next.Add(1)); fault != nil {
					mu.Lock()
					err = fault
					mu.Unlock()
					return
				}
				own = append(own, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			times = append(times, own...)
		})
	}
	group.Wait()
	return times, err
}

// event plays one.
func event(e engine, n int64) error {
	key := func(kind string) []byte { return fmt.Appendf(nil, "%s#%016x%016x", kind, n*2654435761%97, n) }
	published, planned, attempt, delivery := key("events"), key("event"), key("attempts"), key("delivery")
	if err := e.write([]row{{published, filled(messageSize, n)}}, true); err != nil {
		return err
	}
	if there, err := e.has(planned); err != nil || there {
		return fmt.Errorf("event is there: %v, %w", there, err)
	}
	if err := e.write([]row{{planned, filled(eventSize, n)}, {attempt, filled(attemptSize, n)}, {published, nil}}, false); err != nil {
		return err
	}
	if there, err := e.has(delivery); err != nil || there {
		return fmt.Errorf("delivery is there: %v, %w", there, err)
	}
	return e.write([]row{{delivery, filled(deliverySize, n)}, {attempt, nil}}, false)
}

// filled is n bytes that do not compress to nothing.
func filled(size int, n int64) []byte {
	b := make([]byte, size)
	x := uint64(n)*0x9E3779B97F4A7C15 + 1
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = "0123456789abcdef"[x%16]
	}
	return b
}

// processor is what this process has used of the processor.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// size is how many bytes a folder holds.
func size(folder string) (total int64) {
	_ = filepath.Walk(folder, func(_ string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			total += info.Size()
		}
		return nil
	})
	return total
}
