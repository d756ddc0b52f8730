package engine

import (
	"sync/atomic"
	"time"
)

// stopwatch tells how long the work at hand has lasted. The zero value has
// none.
type stopwatch struct{ began atomic.Pointer[time.Time] }

// begin starts the watch; the function that it returns stops it.
func (w *stopwatch) begin() (end func()) {
	now := time.Now()
	w.began.Store(&now)
	return func() { w.began.Store(nil) }
}

// running returns for how long the work has lasted; 0 if there is none.
func (w *stopwatch) running() time.Duration {
	if began := w.began.Load(); began != nil {
		return time.Since(*began)
	}
	return 0
}
