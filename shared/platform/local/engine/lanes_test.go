package engine

import (
	"sync"
	"testing"
)

// TestOthersPassTheBackground: what is written at once is done before much that
// has waited longer in the background, and that is done in the end.
func TestOthersPassTheBackground(t *testing.T) {
	db := openTest(t)
	const many = 10 * background
	var mu sync.Mutex
	var order []Durability
	note := func(d Durability) func() {
		return func() {
			err := db.Write(t.Context(), d, func(*Tx) error { mu.Lock(); defer mu.Unlock(); order = append(order, d); return nil })
			if err != nil {
				t.Error(err)
			}
		}
	}
	var writes []func()
	for range many {
		writes = append(writes, note(Background))
	}
	release := hold(t, db)
	var wg sync.WaitGroup
	start := func(f func(), waiting int) {
		wg.Go(f)
		for n := 0; n < waiting; {
			db.mu.Lock()
			n = len(db.waiting[0]) + len(db.waiting[1])
			db.mu.Unlock()
		}
	}
	for i, w := range writes {
		start(w, i+1)
	}
	start(note(Ordered), many+1)
	start(note(Durable), many+2)
	release()
	wg.Wait()
	for i, d := range order {
		if d != Background && i >= 2+background {
			t.Errorf("a write that somebody waits for came %dth of %d", i+1, len(order))
		}
	}
	if len(order) != many+2 {
		t.Errorf("%d writes were done, want %d", len(order), many+2)
	}
}
