// Package heap decides when a process that serves collects its garbage: rarely
// while it keeps little, so that collecting costs little, and more often while it
// keeps much, so that the garbage beside that does not grow with it.
//
// What it keeps is bounded by itself; docs/sharing.md lists the bounds.
package heap

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// How much garbage may lie beside what is kept. At 200 percent collecting took
// 5 % of the processor time of a callback, with a heap of some 30 MB.
const (
	mostPercent  = 400
	leastPercent = 50
	garbage      = 128 << 20 // bytes, as long as that is neither more nor less than these
)

// Tune adjusts the garbage collector now and after each collection, unless GOGC
// in the environment has decided, and reports whether it does. GOMEMLIMIT holds
// in any case.
func Tune() bool {
	if os.Getenv("GOGC") != "" {
		return false
	}
	debug.SetGCPercent(mostPercent)
	watch(mostPercent)
	return true
}

// sign is what the next collection finds unreachable.
type sign struct{ _ [16]byte }

// watch has the percentage adjusted once the next collection is over.
func watch(now int) {
	s := new(sign)
	runtime.SetFinalizer(s, func(*sign) {
		next := percent(live())
		if next != now {
			debug.SetGCPercent(next)
		}
		watch(next)
	})
}

// percent is how much garbage, in percent of the bytes that are kept, may lie
// beside them.
func percent(live uint64) int {
	return int(min(max(100*garbage/max(live, 1), leastPercent), mostPercent))
}

// live returns the bytes that the last collection left.
func live() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
